#include "crypto/sealer.hpp"

#include <fmt/format.h>
#include <openssl/rand.h>

#include "crypto/encoding.hpp"
#include "crypto/openssl.hpp"

namespace certherd::crypto {
namespace {

constexpr std::size_t key_size = 32;
// NIST SP 800-38D: 96 random bits are good for 2^32 seals under one key.
constexpr std::size_t nonce_size = 12;
constexpr std::size_t tag_size = 16;
constexpr std::string_view version = "v1.";
constexpr std::string_view key_id_label = "certherd seal key id";
constexpr std::size_t key_id_size = 8;

tl::unexpected<Error> damaged() {
  return fail(Error::Kind::rejected, "open sealed data",
              "it was changed, or belongs to another purpose");
}

}  // namespace

Sealer::Sealer(Secret<std::string> key, std::string key_id) : key_id_(std::move(key_id)) {
  keys_.emplace(key_id_, std::move(key));
}

void Sealer::also_open(Sealer former) { keys_.merge(former.keys_); }

Result<Sealer> Sealer::make(Secret<std::string> key) {
  if (key.reveal().size() != key_size) {
    return fail(Error::Kind::misconfigured, "read seal key",
                "it must hold 32 bytes in base64, as `openssl rand -base64 32` writes them");
  }
  std::string labelled = std::string(key_id_label) + key.reveal();
  std::string key_id = hex(sha256(labelled)).substr(0, key_id_size);
  wipe(labelled);
  return Sealer(std::move(key), std::move(key_id));
}

Secret<std::string> Sealer::new_key_text() {
  std::string key(key_size, '\0');
  ensure(RAND_priv_bytes(octets(key), static_cast<int>(key.size())) == 1, "draw a seal key");
  std::string text = base64(key) + "\n";
  wipe(key);
  return Secret<std::string>(std::move(text));
}

Result<Sealer> Sealer::from_key_text(const Secret<std::string>& text) {
  constexpr std::string_view white_space = " \t\r\n";
  std::string_view trimmed = text.reveal();
  trimmed.remove_prefix(std::min(trimmed.find_first_not_of(white_space), trimmed.size()));
  trimmed = trimmed.substr(0, trimmed.find_last_not_of(white_space) + 1);
  auto key = from_base64(trimmed);
  return make(Secret<std::string>(key ? std::move(*key) : std::string()));
}

bool Sealer::sealed_here(std::string_view sealed) const {
  return sealed.starts_with(std::string(version) + key_id_ + ".");
}

std::string Sealer::seal(const Secret<std::string>& plain, std::string_view purpose) const {
  const std::string& text = plain.reveal();
  std::string sealed(nonce_size + text.size() + tag_size, '\0');
  unsigned char* const nonce = octets(sealed);
  unsigned char* const body = nonce + nonce_size;
  unsigned char* const tag = body + text.size();
  ensure(RAND_bytes(nonce, nonce_size) == 1, "draw a nonce");

  const CipherContext context(EVP_CIPHER_CTX_new());
  int size = 0;
  // GCM adds nothing when it ends, but EVP_EncryptFinal_ex wants a place to add it to.
  ensure(context != nullptr &&
             EVP_EncryptInit_ex2(context.get(), EVP_aes_256_gcm(),
                                 octets(keys_.at(key_id_).reveal()), nonce, nullptr) == 1 &&
             EVP_EncryptUpdate(context.get(), nullptr, &size, octets(purpose),
                               static_cast<int>(purpose.size())) == 1 &&
             EVP_EncryptUpdate(context.get(), body, &size, octets(text),
                               static_cast<int>(text.size())) == 1 &&
             EVP_EncryptFinal_ex(context.get(), tag, &size) == 1 &&
             EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, tag_size, tag) == 1,
         "seal");
  return std::string(version) + key_id_ + "." + base64(sealed);
}

Result<Secret<std::string>> Sealer::open(std::string_view sealed, std::string_view purpose) const {
  const std::size_t header = version.size() + key_id_size + 1;
  if (!sealed.starts_with(version) || sealed.size() < header || sealed[header - 1] != '.') {
    return damaged();
  }
  const auto key = keys_.find(sealed.substr(version.size(), key_id_size));
  if (key == keys_.end()) {
    return fail(Error::Kind::misconfigured, "open sealed data",
                fmt::format("it was sealed under key {}, and the seal key is {}: put that key back "
                            "from its backup, or name it in old_seal_keys under [store]",
                            sealed.substr(version.size(), key_id_size), key_id_));
  }
  auto bytes = from_base64(sealed.substr(header));
  if (!bytes || bytes->size() < nonce_size + tag_size) return damaged();

  const std::size_t text_size = bytes->size() - nonce_size - tag_size;
  unsigned char* const nonce = octets(*bytes);
  unsigned char* const body = nonce + nonce_size;
  unsigned char* const tag = body + text_size;
  std::string text(text_size + 1, '\0');  // never without a place to write to
  const CipherContext context(EVP_CIPHER_CTX_new());
  ensure(context != nullptr, "open sealed data");
  int size = 0;
  const bool opened =
      EVP_DecryptInit_ex2(context.get(), EVP_aes_256_gcm(), octets(key->second.reveal()), nonce,
                          nullptr) == 1 &&
      EVP_DecryptUpdate(context.get(), nullptr, &size, octets(purpose),
                        static_cast<int>(purpose.size())) == 1 &&
      EVP_DecryptUpdate(context.get(), octets(text), &size, body, static_cast<int>(text_size)) ==
          1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, tag_size, tag) == 1 &&
      EVP_DecryptFinal_ex(context.get(), octets(text) + text_size, &size) == 1;
  if (!opened) {
    wipe(text);
    take_reason();
    return damaged();
  }
  text.resize(text_size);
  return Secret<std::string>(std::move(text));
}

}  // namespace certherd::crypto
