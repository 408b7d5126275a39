#include "dns/sight.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace certherd::dns {

std::string what_is_missing(const Message& reply, const Fqdn& record,
                            const std::vector<TxtValue>& values, bool authority) {
  const bool tells = reply.code == ResponseCode::no_error || reply.code == ResponseCode::name_error;
  if (!tells) return to_string(reply.code);
  if (authority && !reply.authoritative) return "not authoritative for it (lame delegation)";
  if (reply.code == ResponseCode::name_error) return "no TXT record (NXDOMAIN)";

  std::vector<std::string> texts;
  for (const auto& answer : reply.answers) {
    if (answer.name != record.text()) continue;
    if (answer.type == RecordType::cname) {
      return fmt::format("a CNAME to {} stands there", answer.text);
    }
    if (answer.type == RecordType::txt) texts.push_back(answer.text);
  }
  if (texts.empty()) return "no TXT record";

  const auto missing = std::ranges::count_if(values, [&texts](const TxtValue& value) {
    return std::ranges::find(texts, value.text()) == texts.end();
  });
  if (missing == 0) return {};
  return fmt::format("{} of {} values missing among its {} TXT records", missing, values.size(),
                     texts.size());
}

}  // namespace certherd::dns
