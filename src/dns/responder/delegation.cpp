#include "dns/responder/delegation.hpp"

#include <fmt/format.h>

namespace certherd::dns::responder {
namespace {

constexpr std::string_view challenge_label = "_acme-challenge.";
constexpr std::size_t max_name_octets = 253;

// FNV-1a: only has to tell names apart, the same on every run.
std::uint64_t hash(std::string_view text) {
  std::uint64_t value = 0xCBF29CE484222325U;
  for (const char c : text) {
    value = (value ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  }
  return value;
}

}  // namespace

std::string delegation_line(const Fqdn& name, const Fqdn& zone) {
  const bool is_challenge = name.text().starts_with(challenge_label);
  const Fqdn owner = is_challenge ? name : name.challenge_name();
  const auto domain = std::string_view(owner.text()).substr(challenge_label.size());
  // The domain itself as the label makes it unique and readable; one too long gets a short one.
  const bool fits = domain.size() + 1 + zone.text().size() <= max_name_octets;
  const auto label = fits ? std::string(domain) : fmt::format("{:016x}", hash(domain));
  return fmt::format("{}. CNAME {}.{}.", owner, label, zone);
}

}  // namespace certherd::dns::responder
