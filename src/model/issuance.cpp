#include "model/issuance.hpp"

#include <array>
#include <utility>

namespace certherd {
namespace {

constexpr std::array<std::pair<Step, std::string_view>, 16> step_names = {{
    {Step::create_key, "create_key"},
    {Step::new_order, "new_order"},
    {Step::authorize, "authorize"},
    {Step::publish, "publish"},
    {Step::propagate, "propagate"},
    {Step::answer, "answer"},
    {Step::validate, "validate"},
    {Step::finalize, "finalize"},
    {Step::poll_order, "poll_order"},
    {Step::download, "download"},
    {Step::store, "store"},
    {Step::install, "install"},
    {Step::prove, "prove"},
    {Step::clean_up, "clean_up"},
    {Step::done, "done"},
    {Step::failed, "failed"},
}};

}  // namespace

std::string_view to_string(Step step) {
  for (const auto& [value, name] : step_names) {
    if (value == step) return name;
  }
  return {};
}

std::optional<Step> parse_step(std::string_view text) {
  for (const auto& [value, name] : step_names) {
    if (name == text) return value;
  }
  return std::nullopt;
}

}  // namespace certherd
