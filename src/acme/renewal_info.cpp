#include "acme/renewal_info.hpp"

#include "acme/object_reader.hpp"

namespace certherd::acme {

std::string renewal_info_url(std::string base, const std::string& ari_id) {
  if (!base.ends_with('/')) base += '/';
  return base + ari_id;
}

Result<RenewalWindow> parse_renewal_info(const boost::json::object& object) {
  ObjectReader reader(object, "renewal information");
  RenewalWindow window;
  const auto* suggested = reader.optional_object("suggestedWindow");
  // Only shown to people.
  window.explanation_url = reader.optional_text("explanationURL");
  if (suggested == nullptr) reader.fault("has no suggestedWindow");
  if (auto status = reader.status(); !status) return fail(std::move(status.error()));

  ObjectReader bounds(*suggested, "suggestedWindow");
  const auto start = bounds.time("start");
  const auto end = bounds.time("end");
  if (!start || !end) bounds.fault("has no start or no end");
  if (start && end && *end <= *start) bounds.fault("ends before it begins");
  if (auto status = bounds.status(); !status) return fail(std::move(status.error()));
  window.start = *start;
  window.end = *end;
  return window;
}

}  // namespace certherd::acme
