#include <fmt/core.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <array>
#include <boost/json.hpp>
#include <filesystem>
#include <memory>

#include "base/folder.hpp"
#include "cli/cert.hpp"
#include "cli/tell.hpp"
#include "crypto/x509.hpp"
#include "fleet/kept.hpp"

namespace certherd::cli {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr auto op = "cert export";
constexpr std::size_t largest_file = std::size_t{1} << 20U;  // 1 MiB
constexpr mode_t for_us = 0600;
constexpr mode_t for_all = 0644;

struct Options {
  std::string name;
  std::string folder;
  bool force = false;
};

/// One file to be written.
struct ExportFile {
  std::string name;
  Secret<std::string> content;
  mode_t mode = for_all;

  std::string unfinished() const { return "." + name + ".new"; }
};

Access access_of(mode_t mode) {
  Access access;
  access.file_mode = mode;
  return access;
}

// The names by which certbot's users know them.
Result<std::vector<ExportFile>> files_of(Material material) {
  auto parts = crypto::split_chain(material.fullchain);
  if (!parts) return fail(std::move(parts.error()));
  std::vector<ExportFile> files;
  files.push_back(
      {.name = "privkey.pem", .content = std::move(material.private_key), .mode = for_us});
  const auto add = [&files](std::string name, std::string text) {
    files.push_back({.name = std::move(name), .content = Secret<std::string>(std::move(text))});
  };
  add("cert.pem", std::move(parts->leaf));
  add("chain.pem", std::move(parts->others));
  add("fullchain.pem", std::move(material.fullchain));
  add("csr.pem", std::move(material.csr));
  return files;
}

/// Leaves those out that stand there already. Errors: conflict when another content does.
Result<std::vector<ExportFile>> to_be_written(const Folder& folder, std::vector<ExportFile> files,
                                              const Options& options) {
  std::vector<ExportFile> wanted;
  std::vector<std::string> others;
  for (auto& file : files) {
    auto present = folder.read(file.name, largest_file);
    const bool missing = !present && present.error().kind == Error::Kind::not_found;
    if (present) {
      const Secret<std::string> there(std::move(*present));
      if (there.reveal() == file.content.reveal()) continue;
    }
    if (!missing) others.push_back(file.name);
    wanted.push_back(std::move(file));
  }
  if (others.empty() || options.force) return wanted;
  return fail(Error::Kind::conflict, op,
              fmt::format("in {} there is something else already: {}. Name another folder, or "
                          "--force to replace it",
                          options.folder, fmt::join(others, ", ")));
}

Status write(const Folder& folder, const std::vector<ExportFile>& files) {
  // What can fail, such as a full disk, comes before the first name is taken.
  Status done;
  for (const auto& file : files) {
    if (done) done = folder.write(file.unfinished(), file.content.reveal(), access_of(file.mode));
  }
  if (done) done = folder.sync();
  for (const auto& file : files) {
    if (done) done = folder.rename(file.unfinished(), file.name);
  }
  if (done) return folder.sync();
  for (const auto& file : files) {
    // What it is about is the first failure; a file that stays is replaced by the next export.
    [[maybe_unused]] const auto removed = folder.remove(file.unfinished());
  }
  return done;
}

Status export_to(const Options& options, Material material) {
  auto files = files_of(std::move(material));
  if (!files) return fail(std::move(files.error()));
  std::error_code ignored;
  const bool made = !fs::exists(options.folder, ignored);
  auto folder = Folder::make(options.folder, access_of(for_us));
  if (!folder) return fail(std::move(folder.error()));
  auto wanted = to_be_written(*folder, std::move(*files), options);
  if (!wanted) return fail(std::move(wanted.error()));
  auto written = write(*folder, *wanted);
  if (!written && made) fs::remove(options.folder, ignored);  // only when it is empty
  return written;
}

Task<Result<Certificate>> present(app::App* app, std::string text) {
  auto name = Fqdn::parse(text);
  if (!name) co_return fail(std::move(name.error()));
  auto row = co_await app->store().domain(*name);
  if (!row) co_return fail(std::move(row.error()));
  if (row->certificate) co_return std::move(*row->certificate);
  co_return fail(Error::Kind::not_found, op,
                 fmt::format("{} has no certificate yet: run certherd issue {}", *name, *name));
}

Task<Result<Material>> kept(app::App* app, Certificate certificate) {
  if (auto prepared = app->prepare_checks(); !prepared) co_return fail(std::move(prepared.error()));
  const auto& vaults = app->ports().vaults;
  const auto vault = vaults.find(certificate.vault_name);
  if (vault == vaults.end()) {
    co_return fail(Error::Kind::misconfigured, op,
                   fmt::format("it is kept in [vault.{}], which is not in the config",
                               certificate.vault_name));
  }
  co_return co_await fleet::load_kept(app->ports().pki, vault->second, &app->store(),
                                      std::move(certificate));
}

Task<int> export_certificate(app::App* app, Context context, Options options) {
  auto certificate = co_await present(app, options.name);
  if (!certificate) co_return report(context, certificate.error());
  auto material = co_await kept(app, *certificate);
  co_await app->stop();
  if (!material) co_return report(context, std::move(material.error()).during(op));
  // On the loop, for nothing else runs on it.
  auto written = export_to(options, std::move(*material));
  if (!written) co_return report(context, std::move(written.error()).during(op));
  if (certificate->revocation_reason) {
    tell_trouble(fmt::format("certificate {} was revoked ({})", certificate->serial,
                             to_string(*certificate->revocation_reason)));
  }
  const auto folder = fs::absolute(options.folder).lexically_normal();
  if (context.json) {
    print_json(
        json::object{{"domain", certificate->domain.text()},
                     {"serial", certificate->serial.text()},
                     {"files", json::object{{"private_key", (folder / "privkey.pem").string()},
                                            {"cert", (folder / "cert.pem").string()},
                                            {"chain", (folder / "chain.pem").string()},
                                            {"fullchain", (folder / "fullchain.pem").string()},
                                            {"csr", (folder / "csr.pem").string()}}}});
  } else {
    fmt::print("certificate {} of {} is in {}\n", certificate->serial, certificate->domain,
               folder.string());
  }
  co_return all_done;
}

}  // namespace

void add_cert_export(CLI::App& cert, Context& context) {
  auto* command = cert.add_subcommand("export", "Write a certificate and its key to files");
  command->footer(
      "Writes privkey.pem (readable for you alone), cert.pem, chain.pem, fullchain.pem and "
      "csr.pem\n"
      "out of the vault, once chain and key are seen to belong together and to be the present\n"
      "certificate. All of them or none; files with other content stay, unless you say --force.\n"
      "A key that was reported as compromised is never written.\n\n"
      "Example:\n"
      "  certherd cert export www.example.com --dir ./www");
  auto options = std::make_shared<Options>();
  command->add_option("NAME", options->name, "A domain of the inventory")
      ->type_name("DOMAIN")
      ->required();
  command->add_option("--dir", options->folder, "The folder; made when it is missing")
      ->type_name("DIR")
      ->required();
  command->add_flag("--force", options->force, "Replace files with other content");
  command->callback([&context, options] {
    context.action = [&context, options] {
      return with_app(context,
                      [&](app::App* app) { return export_certificate(app, context, *options); });
    };
  });
}

}  // namespace certherd::cli
