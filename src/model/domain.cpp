#include "model/domain.hpp"

#include <algorithm>

namespace certherd {

std::vector<Fqdn> Domain::all_names() const {
  std::vector<Fqdn> all = {name};
  for (const Fqdn& further : names) {
    if (std::ranges::find(all, further) == all.end()) all.push_back(further);
  }
  return all;
}

}  // namespace certherd
