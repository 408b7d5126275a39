#include "app/seal_keys.hpp"

namespace certherd::app {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view next_suffix = ".new";
constexpr std::string_view former_suffix = ".old-";

// Nobody has named these, so one that cannot be read is as good as none: what it would have opened
// names the key that is missing.
void also_open_kept(crypto::Sealer& sealer, const fs::path& seal_key) {
  const auto begin = seal_key.filename().string();
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator(seal_key.parent_path(), failure)) {
    const auto name = entry.path().filename().string();
    const bool kept = name == begin + std::string(next_suffix) ||
                      name.starts_with(begin + std::string(former_suffix));
    if (!kept) continue;
    if (auto key = read_seal_key({.env = {}, .file = entry.path()})) {
      sealer.also_open(std::move(*key));
    }
  }
}

}  // namespace

fs::path next_seal_key(const fs::path& seal_key) {
  return seal_key.string() + std::string(next_suffix);
}

fs::path former_seal_key(const fs::path& seal_key, const std::string& key_id) {
  return seal_key.string() + std::string(former_suffix) + key_id;
}

Result<crypto::Sealer> read_seal_key(const SecretSource& source) {
  auto text = source.read();
  if (!text) return fail(std::move(text.error()));
  auto sealer = crypto::Sealer::from_key_text(*text);
  if (sealer) return sealer;
  const auto place = source.env.empty() ? source.file.string() : source.env;
  return fail(std::move(sealer.error()).during(place));
}

Result<crypto::Sealer> open_seal_keys(const Config& config) {
  auto sealer = read_seal_key(config.seal_key);
  if (!sealer) return fail(std::move(sealer.error()).during("open the seal key"));
  for (const auto& source : config.old_seal_keys) {
    auto old = read_seal_key(source);
    if (!old) return fail(std::move(old.error()).during("open an old seal key"));
    sealer->also_open(std::move(*old));
  }
  if (!config.seal_key.file.empty()) also_open_kept(*sealer, config.seal_key.file);
  return sealer;
}

}  // namespace certherd::app
