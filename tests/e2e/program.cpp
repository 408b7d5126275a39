#include "program.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <csignal>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace certherd::e2e {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

// The shell only parts the two outputs, and becomes the program.
constexpr auto part_outputs = "cd \"$1\" && shift && exec \"$@\" <\"$IN\" >\"$OUT\" 2>\"$ERR\"";

Task<bool> poll(runtime::Clock* clock, Duration within, std::function<bool()> condition) {
  const Time deadline = clock->now() + within;
  while (!condition()) {
    if (clock->now() >= deadline) co_return false;
    co_await clock->sleep_for(5ms);
  }
  co_return true;
}

}  // namespace

fs::path program() { return CERTHERD_PROGRAM; }

boost::json::value Ended::json() const {
  boost::system::error_code failure;
  auto value = boost::json::parse(out, failure);
  EXPECT_FALSE(failure) << failure.message() << " in: " << out << "\nstderr: " << err;
  return value;
}

Program::Program(runtime::EventLoop& loop, const Call& call) : loop_(loop) {
  const auto& streams = streams_.path();
  write_file(streams / "in", call.input);
  const auto folder = call.folder.empty() ? fs::current_path() : call.folder;
  runtime::Command command;
  command.arguments = {"sh", "-c", part_outputs, "sh", folder.string(), program().string()};
  command.arguments.insert(command.arguments.end(), call.arguments.begin(), call.arguments.end());
  command.environment = call.environment;
  command.environment.emplace("CERTHERD_CONFIG", "");  // whatever the tester's shell has set
  command.environment["IN"] = streams / "in";
  command.environment["OUT"] = call.output.empty() ? streams / "out" : call.output;
  command.environment["ERR"] = call.errors.empty() ? streams / "err" : call.errors;
  auto child = runtime::Child::start(loop, std::move(command));
  if (!child) throw std::runtime_error(child.error().message());
  child_ = std::move(*child);
}

void Program::send(int signal) const { kill(pid(), signal); }

std::string Program::errors() const { return content_of(streams_.path() / "err"); }

Ended Program::wait(Duration within) {
  const bool over = eventually(loop_, within, [this] { return !running(); });
  Ended ended{.status = child_->exit_status().value_or(-1),
              .out = content_of(streams_.path() / "out"),
              .err = errors()};
  EXPECT_TRUE(over) << "still running after " << format_duration(within)
                    << ", stderr: " << ended.err;
  return ended;
}

bool eventually(runtime::EventLoop& loop, Duration within, std::function<bool()> condition) {
  return loop.run(poll(&loop.clock(), within, std::move(condition)));
}

std::vector<std::string> processes_with(std::string_view text) {
  std::vector<std::string> found;
  std::error_code gone;  // processes end while they are looked at
  for (const auto& entry : fs::directory_iterator("/proc", gone)) {
    const auto name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    auto line = content_of(entry.path() / "cmdline");
    std::ranges::replace(line, '\0', ' ');
    if (line.find(text) != std::string::npos) found.push_back(std::move(line));
  }
  return found;
}

std::string content_of(const fs::path& file) {
  const std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();  // what cannot be read, as of a process that has ended, ends the text
  return std::move(text).str();
}

void write_file(const fs::path& file, std::string_view text) {
  std::ofstream stream(file, std::ios::binary | std::ios::trunc);
  stream << text;
  stream.close();
  if (!stream) throw std::runtime_error(fmt::format("cannot write {}", file.string()));
}

}  // namespace certherd::e2e
