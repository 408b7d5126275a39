#include "vault/directory.hpp"

#include <utility>

#include "base/folder.hpp"
#include "base/versioned_folder.hpp"

namespace certherd::vault {
namespace {

namespace fs = std::filesystem;

constexpr const char* csr_file = "csr.pem";
constexpr const char* private_key_file = "private_key.pem";
constexpr const char* fullchain_file = "fullchain.pem";

constexpr std::size_t largest_file = std::size_t{1} << 20U;  // 1 MiB

// A file may be missing because the version was left, and is being written anew, meanwhile.
constexpr int read_attempts = 3;

VersionedFolder::Options folder_options(const fs::path& path) {
  VersionedFolder::Options options;
  options.root = path;
  return options;
}

class Directory final : public Vault {
 public:
  Directory(runtime::Offload& offload, fs::path path)
      : offload_(offload), folder_(folder_options(path)), path_(std::move(path)) {}

  Task<Result<VaultReferences>> store(Fqdn domain, Material material, Version version) override {
    auto work = [this, domain = std::move(domain), material = std::move(material),
                 key = std::move(version.key)] { return write(domain, material, key); };
    co_return co_await offload_.call(std::move(work));
  }

  Task<Result<Material>> load(Fqdn domain) override {
    auto work = [this, domain = std::move(domain)] { return read(domain); };
    co_return co_await offload_.call(std::move(work));
  }

  Task<Result<std::optional<Description>>> describe(Fqdn domain) override {
    auto work = [this, domain = std::move(domain)] { return look(domain); };
    co_return co_await offload_.call(std::move(work));
  }

  Task<Status> check() override {
    auto work = [this]() -> Status {
      auto done = folder_.check();
      if (!done) return fail(std::move(done.error()).during("vault: check"));
      return {};
    };
    co_return co_await offload_.call(std::move(work));
  }

 private:
  VaultReferences references(const Fqdn& domain) const {
    const fs::path folder = path_ / folder_name(domain.text());
    return {(folder / csr_file).string(), (folder / private_key_file).string(),
            (folder / fullchain_file).string()};
  }

  Result<VaultReferences> write(const Fqdn& domain, const Material& material,
                                const std::string& version_key) const {
    const std::vector<FileContent> files = {
        {csr_file, Secret<std::string>(material.csr)},
        {private_key_file, material.private_key},
        {fullchain_file, Secret<std::string>(material.fullchain)}};
    auto switched = folder_.switch_to(folder_name(domain.text()), version_key, files);
    if (!switched) return fail(std::move(switched.error()).during("vault: store " + domain.text()));
    return references(domain);
  }

  Result<Material> read(const Fqdn& domain) const {
    const std::string op = "vault: load " + domain.text();
    const std::string name = folder_name(domain.text());
    Error damage;
    for (int attempt = 0; attempt < read_attempts; ++attempt) {
      auto version = folder_.current(name);
      if (!version) return fail(std::move(version.error()).during(op));
      if (!*version) return fail(Error::Kind::not_found, op, "nothing is stored for it");
      auto material = read_version(name, **version);
      if (material) return material;
      if (material.error().kind != Error::Kind::not_found) {
        return fail(std::move(material.error()).during(op));
      }
      damage = std::move(material.error());
    }
    return fail(Error::Kind::rejected, op, "the stored version is damaged: " + damage.message());
  }

  // Opens the version's folder once: following the link for each file could give a mixture of two
  // versions. Errors: not_found when a file is missing.
  Result<Material> read_version(const std::string& name, const std::string& version) const {
    auto folder = Folder::open(path_);
    for (const std::string& part : {std::string(".versions"), name, version}) {
      if (folder) folder = folder->child(part);
    }
    if (!folder) return fail(std::move(folder.error()));
    auto csr = folder->read(csr_file, largest_file);
    if (!csr) return fail(std::move(csr.error()));
    auto private_key = folder->read(private_key_file, largest_file);
    if (!private_key) return fail(std::move(private_key.error()));
    Secret<std::string> secret(std::move(*private_key));
    auto fullchain = folder->read(fullchain_file, largest_file);
    if (!fullchain) return fail(std::move(fullchain.error()));
    return Material{std::move(*csr), std::move(secret), std::move(*fullchain)};
  }

  Result<std::optional<Description>> look(const Fqdn& domain) const {
    auto version = folder_.current(folder_name(domain.text()));
    if (!version) {
      return fail(std::move(version.error()).during("vault: describe " + domain.text()));
    }
    if (!*version) return std::optional<Description>();
    return std::optional(Description{std::move(**version), references(domain)});
  }

  runtime::Offload& offload_;
  VersionedFolder folder_;
  fs::path path_;
};

}  // namespace

std::unique_ptr<Vault> make_directory(runtime::Offload& offload, fs::path path) {
  return std::make_unique<Directory>(offload, std::move(path));
}

}  // namespace certherd::vault
