#include "deploy/fastly/leaf.hpp"

#include <fmt/format.h>

#include "crypto/encoding.hpp"
#include "crypto/private_key.hpp"
#include "crypto/x509.hpp"

namespace certherd::deploy::fastly {

Result<Leaf> read_leaf(const Material& material, const std::string& version_key) {
  auto chain = crypto::read_chain(material.fullchain);
  if (!chain) return fail(std::move(chain.error()));
  auto parts = crypto::split_chain(material.fullchain);
  if (!parts) return fail(std::move(parts.error()));
  const auto& info = chain->front();
  if (info.serial.text() != version_key) {
    return fail(Error::Kind::rejected, "read the certificate",
                fmt::format("its serial is {} and not {}", info.serial, version_key));
  }
  Leaf leaf;
  leaf.serial = info.serial;
  leaf.names = {info.names.begin(), info.names.end()};
  leaf.not_before = info.not_before;
  leaf.not_after = info.not_after;
  leaf.public_key_sha1 = crypto::hex(crypto::sha1(crypto::public_key_pem(info.public_key)));
  leaf.pem = std::move(parts->leaf);
  leaf.intermediates = std::move(parts->others);
  return leaf;
}

}  // namespace certherd::deploy::fastly
