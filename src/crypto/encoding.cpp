#include "crypto/encoding.hpp"

#include <algorithm>
#include <array>
#include <memory>

#include "base/secret.hpp"
#include "crypto/openssl.hpp"

namespace certherd::crypto {
namespace {

// Far above all that is ever decoded; OpenSSL counts in int.
constexpr std::size_t longest_text = std::size_t{1} << 28U;

tl::unexpected<Error> no_base64() {
  return fail(Error::Kind::rejected, "decode base64", "the text is not in the strict form");
}

/// A pointer that OpenSSL does not take for "absent".
const unsigned char* present(std::string_view bytes) {
  return bytes.empty() ? octets("") : octets(bytes);
}

// Looked up by name once: that takes longer than a digest.
std::string digest(const EVP_MD* algorithm, std::string_view bytes) {
  std::string result(EVP_MAX_MD_SIZE, '\0');
  unsigned int size = 0;
  ensure(EVP_Digest(present(bytes), bytes.size(), octets(result), &size, algorithm, nullptr) == 1,
         "digest");
  result.resize(size);
  return result;
}

}  // namespace

std::string base64(std::string_view bytes) {
  ensure(bytes.size() <= longest_text, "encode base64");
  // EVP_EncodeBlock adds a zero octet at the end.
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size = EVP_EncodeBlock(octets(text), present(bytes), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

Result<std::string> from_base64(std::string_view text) {
  if (text.size() > longest_text || text.size() % 4 != 0) return no_base64();
  std::string bytes(text.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(octets(bytes), present(text), static_cast<int>(text.size()));
  if (size < 0) {
    take_reason();
    return no_base64();
  }
  // It counts padding as content.
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  if (static_cast<std::size_t>(size) < padding) return no_base64();
  bytes.resize(static_cast<std::size_t>(size) - padding);

  // It also forgives white space, bits left over and padding in the middle; only one text stands
  // for given bytes.
  std::string again = base64(bytes);
  const bool strict = again == text;
  wipe(again);
  if (!strict) return no_base64();
  return bytes;
}

std::string base64url(std::string_view bytes) {
  std::string text = base64(bytes);
  text.erase(std::min(text.find('='), text.size()));
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  return text;
}

Result<std::string> from_base64url(std::string_view text) {
  if (text.find_first_of("+/=") != std::string_view::npos) return no_base64();
  std::string ordinary(text);
  std::ranges::replace(ordinary, '-', '+');
  std::ranges::replace(ordinary, '_', '/');
  ordinary.append((4 - ordinary.size() % 4) % 4, '=');
  auto bytes = from_base64(ordinary);
  wipe(ordinary);
  return bytes;
}

std::string hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto octet = static_cast<unsigned char>(c);
    text += digits[octet >> 4U];
    text += digits[octet & 15U];
  }
  return text;
}

std::string sha256(std::string_view bytes) {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return digest(algorithm, bytes);
}

std::string sha1(std::string_view bytes) {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA1", nullptr);
  return digest(algorithm, bytes);
}

std::string hmac(std::string_view hash, std::string_view key, std::string_view message) {
  static EVP_MAC* const algorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  const std::unique_ptr<EVP_MAC_CTX, decltype(&EVP_MAC_CTX_free)> context(
      EVP_MAC_CTX_new(algorithm), EVP_MAC_CTX_free);
  std::string name(hash);
  const std::array<OSSL_PARAM, 2> parameters = {
      OSSL_PARAM_construct_utf8_string("digest", name.data(), name.size()),
      OSSL_PARAM_construct_end()};
  std::array<unsigned char, EVP_MAX_MD_SIZE> code{};
  std::size_t size = 0;
  ensure(context && EVP_MAC_init(context.get(), present(key), key.size(), parameters.data()) == 1 &&
             EVP_MAC_update(context.get(), present(message), message.size()) == 1 &&
             EVP_MAC_final(context.get(), code.data(), &size, code.size()) == 1,
         "HMAC");
  return {reinterpret_cast<const char*>(code.data()), size};
}

bool equal_in_constant_time(std::string_view left, std::string_view right) {
  return left.size() == right.size() && CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

}  // namespace certherd::crypto
