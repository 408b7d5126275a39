#include "deploy/exec/section.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "deploy/exec/exec.hpp"

namespace certherd::deploy {
namespace {

constexpr int most_at_once = 1000;

class ExecSection final : public TargetSection {
 public:
  ExecSection(ExecOptions options, std::vector<KeyType> keys)
      : options_(std::move(options)), keys_(std::move(keys)) {}

  Acceptance accepts() const override { return {.keys = keys_}; }

  Result<std::unique_ptr<Target>> open(const Surroundings& surroundings) const override {
    auto options = options_;
    options.withheld = surroundings.withheld;
    return make_exec(surroundings.loop, surroundings.offload, std::move(options));
  }

 private:
  ExecOptions options_;
  std::vector<KeyType> keys_;
};

std::vector<std::string> command(config::Section& section, const std::filesystem::path& folder) {
  auto words = section.texts("command").value_or(std::vector<std::string>{});
  if (words.empty() || words.front().empty()) {
    section.fault("command", R"(must be a program and its arguments, such as ["./install.sh"])");
    return words;
  }
  // A name without a slash is looked up in PATH.
  if (words.front().find('/') != std::string::npos) {
    words.front() = (folder / words.front()).lexically_normal().string();
  }
  return words;
}

std::set<Action> actions(config::Section& section, std::set<Action> usual) {
  const auto names = section.texts("actions");
  if (!names) return usual;
  std::set<Action> known;
  for (const auto& name : *names) {
    if (const auto action = parse_action(name)) {
      known.insert(*action);
    } else {
      section.fault("actions",
                    fmt::format("\"{}\" is no action: install, retire, observe, check", name));
    }
  }
  if (!known.contains(Action::install)) {
    section.fault("actions", "must hold \"install\": a program that cannot do that is no target");
  }
  return known;
}

// In the order in which `auto` prefers them, whatever the order in the config.
std::vector<KeyType> keys(config::Section& section) {
  const auto names = section.texts("keys");
  if (!names) return every_key_type();
  auto known = every_key_type();
  std::string list;
  for (const auto type : known) {
    list += fmt::format("{}{}", list.empty() ? "" : ", ", to_string(type));
  }
  if (names->empty()) section.fault("keys", "must name types of key, of these: " + list);
  for (const auto& name : *names) {
    const auto type = parse_key_type(name);
    if (type && std::ranges::count(known, *type) > 0) continue;
    section.fault("keys", fmt::format("\"{}\" is no type of key; known here: {}", name, list));
  }
  std::erase_if(
      known, [&names](KeyType type) { return std::ranges::count(*names, to_string(type)) == 0; });
  return known;
}

}  // namespace

std::shared_ptr<const TargetSection> read_exec(config::Section& section,
                                               const std::filesystem::path& folder) {
  ExecOptions options;
  options.command = command(section, folder);
  options.actions = actions(section, options.actions);
  options.timeout = section.duration("timeout").value_or(options.timeout);
  if (const auto at_once = section.integer("at_once", 1, most_at_once)) {
    options.at_once = static_cast<std::size_t>(*at_once);
  }
  auto taken = keys(section);
  section.done();
  return std::make_shared<ExecSection>(std::move(options), std::move(taken));
}

}  // namespace certherd::deploy
