#include "store/codec_certificate.hpp"

#include "store/codec_certificate_members.hpp"

namespace certherd::store {

std::string_view codec::installed_name(Installed installed) {
  switch (installed) {
    case Installed::installed:
      return "installed";
    case Installed::unchanged:
      return "unchanged";
    case Installed::failed:
      return "failed";
  }
  return "failed";
}

std::optional<Installed> codec::parse_installed(std::string_view text) {
  for (const auto installed : {Installed::installed, Installed::unchanged, Installed::failed}) {
    if (installed_name(installed) == text) return installed;
  }
  return std::nullopt;
}

std::string encode_certificate(const Certificate& certificate) {
  return codec::to_text(certificate);
}

std::string encode_renewal(const Renewal& renewal) { return codec::to_text(renewal); }

Result<Renewal> decode_renewal(std::string_view text) { return codec::from_text<Renewal>(text); }

Result<Certificate> decode_certificate(std::string_view text) {
  return codec::from_text<Certificate>(text);
}

}  // namespace certherd::store
