#include "deploy/files/files.hpp"

#include <utility>

#include "base/log.hpp"
#include "base/versioned_folder.hpp"
#include "deploy/files/activation_marks.hpp"
#include "deploy/reloader.hpp"

namespace certherd::deploy {
namespace {

VersionedFolder::Options folder_options(const FilesOptions& options) {
  VersionedFolder::Options folder;
  folder.root = options.path;
  folder.file_mode = options.mode;
  folder.owner = options.owner;
  return folder;
}

Result<std::vector<FileContent>> files_of(const Material& material,
                                          const std::set<Server>& servers) {
  auto files = bundles_of(material, servers);
  if (!files) return files;
  files->push_back({"privkey.pem", material.private_key});
  files->push_back({"fullchain.pem", Secret<std::string>(material.fullchain)});
  return files;
}

class Files final : public Target {
 public:
  Files(runtime::EventLoop& loop, runtime::Offload& offload, FilesOptions options)
      : offload_(offload),
        bundles_(std::move(options.bundles)),
        reloads_(!options.reload.empty()),
        folder_(folder_options(options)),
        marks_(folder_options(options)),
        reloader_(loop, {std::move(options.reload), std::move(options.withheld),
                         options.reload_timeout, options.gather}) {}

  Task<Result<std::optional<Installation>>> observe(Fqdn domain) override {
    auto work = [this, domain = std::move(domain)] { return look(domain); };
    auto version = co_await offload_.call(std::move(work));
    if (!version) co_return fail(std::move(version.error()));
    if (!*version) co_return std::nullopt;
    co_return Installation{.version_key = std::move(**version)};
  }

  Task<Result<Receipt>> install(Fqdn domain, Material material, std::string version_key) override {
    Receipt receipt{Installed::installed, domain, version_key};
    auto change = co_await reloader_.begin_change();
    auto work = [this, domain, material = std::move(material), version_key] {
      return put(domain, material, version_key);
    };
    const auto outcome = co_await offload_.call(std::move(work));
    if (!outcome) co_return fail(outcome.error().during("install " + domain.text()));
    receipt.outcome = *outcome;
    if (*outcome == Installed::unchanged || !reloads_) co_return receipt;

    auto reloaded = co_await reloader_.reload(std::move(change));
    if (!reloaded) co_return fail(std::move(reloaded.error()).during("install " + domain.text()));
    auto clear = [this, domain, version_key] {
      return marks_.clear(folder_name(domain.text()), version_key);
    };
    // A mark that stays costs one reload more, at most.
    if (auto cleared = co_await offload_.call(std::move(clear)); !cleared) {
      log::warning("install {}: {}", domain, cleared.error().message());
    }
    co_return receipt;
  }

  Task<Status> clean_up(Receipt) override { co_return Status(); }

  Task<Status> retire(Receipt receipt) override {
    auto change = co_await reloader_.begin_change();
    auto work = [this, receipt] { return take_off(receipt); };
    auto removed = co_await offload_.call(std::move(work));
    Status done;
    if (!removed) {
      done = fail(std::move(removed.error()));
    } else if (*removed && reloads_) {
      done = co_await reloader_.reload(std::move(change));
    }
    if (!done) co_return fail(std::move(done.error()).during("retire " + receipt.domain.text()));
    co_return done;
  }

  Task<Status> check() override {
    auto work = [this] { return folder_.check(); };
    co_return co_await offload_.call(std::move(work));
  }

  Task<void> stop() override { return reloader_.stop(); }

 private:
  // What waits for its reload is on the disk and not installed.
  Result<std::optional<std::string>> look(const Fqdn& domain) const {
    const std::string name = folder_name(domain.text());
    auto version = folder_.current(name);
    if (!version || !*version || !reloads_) return version;
    auto pending = marks_.is_set(name, **version);
    if (!pending) return fail(std::move(pending.error()));
    if (*pending) return std::optional<std::string>();
    return version;
  }

  // `unchanged` says that the version stands there and is active: no reload is wanted.
  Result<Installed> put(const Fqdn& domain, const Material& material,
                        const std::string& version_key) const {
    const std::string name = folder_name(domain.text());
    auto active = look(domain);
    if (!active) return fail(std::move(active.error()));
    const bool was_active = *active == version_key;
    auto files = files_of(material, bundles_);
    if (!files) return fail(std::move(files.error()));
    // Before the switch: a crash right after it must find the mark.
    if (reloads_ && !was_active) {
      if (auto marked = marks_.set(name, version_key); !marked) {
        return fail(std::move(marked.error()));
      }
    }
    auto switched = folder_.switch_to(name, version_key, *files);
    if (!switched) return fail(std::move(switched.error()));
    return was_active && !*switched ? Installed::unchanged : Installed::installed;
  }

  // Takes off only what the receipt is about: a newer version has a receipt of its own.
  Result<bool> take_off(const Receipt& receipt) const {
    const std::string name = folder_name(receipt.domain.text());
    auto version = folder_.current(name);
    if (!version) return fail(std::move(version.error()));
    if (!*version) return false;
    if (!receipt.version_key.empty() && *version != receipt.version_key) return false;
    if (auto removed = folder_.remove(name); !removed) return fail(std::move(removed.error()));
    return true;
  }

  runtime::Offload& offload_;
  std::set<Server> bundles_;
  bool reloads_;
  VersionedFolder folder_;
  ActivationMarks marks_;
  Reloader reloader_;
};

}  // namespace

std::unique_ptr<Target> make_files(runtime::EventLoop& loop, runtime::Offload& offload,
                                   FilesOptions options) {
  return std::make_unique<Files>(loop, offload, std::move(options));
}

}  // namespace certherd::deploy
