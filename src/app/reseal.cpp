#include "app/reseal.hpp"

#include "app/seal_keys.hpp"
#include "base/folder.hpp"
#include "base/versioned_folder.hpp"
#include "fleet/issuance/steps.hpp"

namespace certherd::app {
namespace {

namespace fs = std::filesystem;

constexpr auto op = "reseal the store";

Result<std::string> purpose_of(const store::SealedText& sealed) {
  if (sealed.of == store::SealedText::Of::account) {
    return account_key_purpose(CaName(sealed.owner));
  }
  auto domain = Fqdn::parse(sealed.owner);
  if (!domain) return fail(std::move(domain.error()));
  return fleet::key_purpose(*domain);
}

}  // namespace

Reseal::Reseal(App& app, std::optional<fs::path> new_key)
    : app_(app), new_key_(std::move(new_key)) {}

// The key that is to be: one that an earlier reseal has left, else the one given, else a new one.
Result<Secret<std::string>> Reseal::wanted_key() const {
  const auto waiting = next_seal_key(app_.config().seal_key.file);
  std::optional<crypto::Sealer> given;
  if (new_key_) {
    auto read = read_seal_key({.env = {}, .file = *new_key_});
    if (!read) return fail(std::move(read.error()).during(op));
    given = std::move(*read);
  }
  if (fs::exists(waiting)) {
    auto read = read_seal_key({.env = {}, .file = waiting});
    if (!read) return fail(std::move(read.error()).during(op));
    if (given && given->key_id() != read->key_id()) {
      return fail(Error::Kind::conflict, op,
                  fmt::format("{} holds the key {} of a reseal that was broken off: finish it by "
                              "certherd store reseal without --new-key first",
                              waiting.string(), read->key_id()));
    }
    return SecretSource{.env = {}, .file = waiting}.read();
  }
  if (new_key_) return SecretSource{.env = {}, .file = *new_key_}.read();
  return crypto::Sealer::new_key_text();
}

Status Reseal::prepare() {
  const auto& config = app_.config();
  result_.key_id = result_.former_key_id = app_.sealer().key_id();
  sealer_ = app_.sealer();
  const bool in_place = !new_key_ && !config.old_seal_keys.empty();
  if (in_place) return {};
  if (config.seal_key.file.empty()) {
    return fail(Error::Kind::misconfigured, op,
                fmt::format("the seal key comes from the environment variable {0}, which certherd "
                            "cannot change: put a new key there (openssl rand -base64 32), name "
                            "the present one by old_seal_keys = [{{ env = \"{0}_OLD\" }}] under "
                            "[store], and run this again without --new-key",
                            config.seal_key.env));
  }
  auto text = wanted_key();
  if (!text) return fail(std::move(text.error()));
  auto next = crypto::Sealer::from_key_text(*text);
  if (!next) return fail(std::move(next.error()).during(op));
  if (next->key_id() == app_.sealer().key_id()) {
    return fail(Error::Kind::misconfigured, op,
                fmt::format("the new key is the same as the present one, {}", next->key_id()));
  }
  result_.key_id = next->key_id();
  next->also_open(app_.sealer());
  sealer_ = std::move(*next);

  const auto file = next_seal_key(config.seal_key.file);
  auto folder = Folder::open(file.parent_path());
  if (!folder) return fail(std::move(folder.error()).during(op));
  return folder->write(file.filename().string(), text->reveal(), Access{});
}

Task<Status> Reseal::rewrite() {
  // The writer's thread may be at it when we are gone.
  auto change = [sealer = *sealer_](const store::SealedText& sealed) -> Result<std::string> {
    if (sealer.sealed_here(sealed.text)) return sealed.text;
    auto purpose = purpose_of(sealed);
    if (!purpose) return purpose;
    auto plain = sealer.open(sealed.text, *purpose);
    if (!plain) return fail(std::move(plain.error()).during("the key of " + sealed.owner));
    return sealer.seal(*plain, *purpose);
  };
  std::vector<Event> events = {
      {.at = app_.loop().clock().now(),
       .domain = {},
       .event = "store.resealed",
       .detail = {{"key", result_.key_id}, {"former_key", result_.former_key_id}}}};
  auto changed = co_await app_.store().reseal(std::move(change), std::move(events));
  if (!changed) co_return fail(std::move(changed.error()).during(op));
  result_.texts = *changed;
  co_return Status{};
}

Status Reseal::keep_former() {
  if (!changes_key()) return {};
  const auto& file = app_.config().seal_key.file;
  result_.former_key = former_seal_key(file, result_.former_key_id);
  std::error_code failure;
  // A key of that id is there when an earlier reseal has come this far.
  if (!fs::exists(result_.former_key)) fs::create_hard_link(file, result_.former_key, failure);
  if (failure) return fail(file_error(op, result_.former_key, failure.value()));
  auto folder = Folder::open(file.parent_path());
  return folder ? folder->sync() : fail(std::move(folder.error()));
}

Status Reseal::switch_keys() {
  if (!changes_key()) return {};
  const auto& file = app_.config().seal_key.file;
  std::error_code failure;
  fs::rename(next_seal_key(file), file, failure);
  if (failure) return fail(file_error(op, file, failure.value()));
  auto folder = Folder::open(file.parent_path());
  if (!folder) return fail(std::move(folder.error()));
  if (auto synced = folder->sync(); !synced) return synced;
  return app_.reopen_seal_keys();
}

Task<Result<Resealed>> reseal(App* app, std::optional<fs::path> new_key) {
  Reseal steps(*app, std::move(new_key));
  if (auto prepared = steps.prepare(); !prepared) co_return fail(std::move(prepared.error()));
  auto rewritten = co_await steps.rewrite();
  if (!rewritten) co_return fail(std::move(rewritten.error()));
  if (auto kept = steps.keep_former(); !kept) co_return fail(std::move(kept.error()));
  if (auto switched = steps.switch_keys(); !switched) co_return fail(std::move(switched.error()));
  co_return steps.result();
}

}  // namespace certherd::app
