#include "deploy/files/section.hpp"

#include <fmt/format.h>

#include <charconv>

#include "deploy/files/files.hpp"

namespace certherd::deploy {
namespace {

class FilesSection final : public TargetSection {
 public:
  explicit FilesSection(FilesOptions options) : options_(std::move(options)) {}

  Acceptance accepts() const override { return {.keys = every_key_type()}; }

  Result<std::unique_ptr<Target>> open(const Surroundings& surroundings) const override {
    auto options = options_;
    options.withheld = surroundings.withheld;
    return make_files(surroundings.loop, surroundings.offload, std::move(options));
  }

 private:
  FilesOptions options_;
};

unsigned file_mode(config::Section& section, const std::string& text) {
  unsigned mode = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  const bool octal = failure == std::errc{} && end == text.data() + text.size();
  if (octal && (mode & ~0770U) == 0 && (mode & 0400U) != 0) return mode;
  section.fault("mode",
                R"(must be an octal text such as "0640"; nothing for others, since it holds )"
                "private keys");
  return 0600;
}

std::set<Server> bundles(config::Section& section) {
  // What HAProxy reads is what a bundle was before it could be named.
  if (section.holds_boolean("bundle")) {
    return section.boolean("bundle") == true ? std::set{Server::haproxy} : std::set<Server>();
  }
  std::set<Server> servers;
  for (const auto& name : section.text_or_texts("bundle").value_or(std::vector<std::string>{})) {
    if (const auto server = parse_server(name)) {
      servers.insert(*server);
    } else {
      section.fault("bundle", fmt::format("\"{}\" is no server that is known here: {}", name,
                                          server_names()));
    }
  }
  return servers;
}

}  // namespace

std::shared_ptr<const TargetSection> read_files(config::Section& section,
                                                const std::filesystem::path& folder) {
  FilesOptions options;
  const auto path = section.text("path");
  if (!path) section.fault("path", "must name the folder to install into");
  options.path = (folder / path.value_or(".")).lexically_normal();
  options.bundles = bundles(section);
  options.owner = section.text("owner").value_or("");
  if (const auto mode = section.text("mode")) options.mode = file_mode(section, *mode);
  options.reload = section.texts("reload").value_or(std::vector<std::string>{});
  options.reload_timeout = section.duration("timeout").value_or(options.reload_timeout);
  section.done();
  return std::make_shared<FilesSection>(std::move(options));
}

}  // namespace certherd::deploy
