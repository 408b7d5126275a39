#include "dns/visibility.hpp"

namespace certherd::dns {

std::string View::missing() const {
  std::string text;
  for (const auto& sighting : sightings) {
    if (sighting.shows) continue;
    if (!text.empty()) text += "; ";
    text += sighting.server + ": " + sighting.finding;
  }
  return text;
}

}  // namespace certherd::dns
