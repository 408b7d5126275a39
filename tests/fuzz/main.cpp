#include <fmt/core.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "fuzz/targets.hpp"

// libFuzzer calls these two. Which fuzzer it runs is named by CERTHERD_FUZZ and not by an argument,
// so that the processes that libFuzzer starts for itself (-merge, -jobs) run the same one.

namespace {

namespace fs = std::filesystem;
using certherd::fuzz::Target;
using certherd::fuzz::targets;

const Target* chosen = nullptr;

[[noreturn]] void list() {
  for (const auto& target : targets) fmt::print("{}\n", target.name);
  std::exit(0);
}

[[noreturn]] void refuse(const char* name) {
  fmt::print(stderr, "there is no fuzzer {}; without CERTHERD_FUZZ this program lists them\n",
             name);
  std::exit(2);
}

/// Without arguments, the inputs that are kept for this fuzzer are run once each.
void add_kept_inputs(std::vector<char*>* arguments) {
  static std::vector<std::string> files;
  for (const auto& file : fs::directory_iterator(fs::path(CERTHERD_CORPUS) / chosen->name)) {
    files.push_back(file.path());
  }
  std::ranges::sort(files);
  if (files.empty()) refuse("with a corpus of that name");
  for (auto& file : files) arguments->push_back(file.data());
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* count, char*** arguments) {
  const char* const name = std::getenv("CERTHERD_FUZZ");
  if (name == nullptr) list();
  const auto* const found = std::ranges::find(targets, std::string_view(name), &Target::name);
  if (found == targets.end()) refuse(name);
  chosen = found;
  certherd::log::set_level(certherd::log::Level::error);

  static std::vector<char*> all(*arguments, *arguments + *count);
  if (all.size() == 1) add_kept_inputs(&all);
  *count = static_cast<int>(all.size());
  all.push_back(nullptr);
  *arguments = all.data();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chosen->run({reinterpret_cast<const char*>(data), size});
  return 0;
}
