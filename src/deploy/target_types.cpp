#include <algorithm>
#include <array>

#include "deploy/acm/section.hpp"
#include "deploy/exec/section.hpp"
#include "deploy/fastly/section.hpp"
#include "deploy/files/section.hpp"
#include "deploy/kubernetes/section.hpp"
#include "deploy/target_section.hpp"

namespace certherd::deploy {
namespace {

using Read = std::shared_ptr<const TargetSection> (*)(config::Section&,
                                                      const std::filesystem::path&);

struct Type {
  std::string_view name;
  Read read;
};

// One line for each folder beside this file.
constexpr std::array types = {
    Type{"acm", read_acm},
    Type{"exec", read_exec},
    Type{"fastly", read_fastly},
    Type{"files", read_files},
    Type{"kubernetes", read_kubernetes},
};

}  // namespace

std::vector<std::string> target_types() {
  std::vector<std::string> names;
  names.reserve(types.size());
  for (const auto& type : types) names.emplace_back(type.name);
  return names;
}

std::shared_ptr<const TargetSection> read_target(std::string_view type, config::Section& section,
                                                 const std::filesystem::path& folder) {
  const auto* const found = std::ranges::find(types, type, &Type::name);
  return found == types.end() ? nullptr : found->read(section, folder);
}

}  // namespace certherd::deploy
