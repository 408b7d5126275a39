#include <fmt/core.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>

#include "app/create.hpp"
#include "app/inventory_file.hpp"
#include "base/log.hpp"
#include "base/versioned_folder.hpp"
#include "cli/context.hpp"
#include "cli/work_command.hpp"
#include "demo/stage.hpp"
#include "runtime/offload.hpp"
#include "runtime/signals.hpp"
#include "runtime/task_group.hpp"

namespace certherd::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  int domains = 100;
  std::string keep;
  bool serve = false;
};

/// The folder of one demo; taken away at the end unless it is to be kept.
class DemoFolder {
 public:
  static Result<std::unique_ptr<DemoFolder>> make(const std::string& keep) {
    auto folder = std::unique_ptr<DemoFolder>(new DemoFolder);
    folder->temporary_ = keep.empty();
    if (keep.empty()) {
      auto pattern = (fs::temp_directory_path() / "certherd-demo-XXXXXX").string();
      if (mkdtemp(pattern.data()) == nullptr) {
        return fail(file_error("make the demo's folder", pattern, errno));
      }
      folder->path_ = pattern;
      return folder;
    }
    folder->path_ = fs::absolute(keep).lexically_normal();
    std::error_code failure;
    fs::create_directories(folder->path_, failure);
    if (failure) {
      return fail(file_error("make the demo's folder", folder->path_, failure.value()));
    }
    if (!fs::is_empty(folder->path_, failure)) {
      return fail(Error::Kind::conflict, "demo",
                  folder->path_.string() + " is not empty: name a new folder");
    }
    // It will hold private keys.
    fs::permissions(folder->path_, fs::perms::owner_all, failure);
    return folder;
  }
  ~DemoFolder() {
    std::error_code ignored;
    if (temporary_) fs::remove_all(path_, ignored);
  }
  DemoFolder(const DemoFolder&) = delete;
  DemoFolder& operator=(const DemoFolder&) = delete;

  const fs::path& path() const { return path_; }

 private:
  DemoFolder() = default;
  fs::path path_;
  bool temporary_ = true;
};

/// How a demo stands, for whoever watches it.
struct Performance {
  std::optional<int> status;  ///< none while a demo has not come so far
  WorkDone done;
};

Task<int> issue_inventory(app::App* app, Context context, std::string inventory, WorkDone* done) {
  auto file = app::read_inventory(inventory);
  if (!file) co_return report(context, file.error());
  if (!file->faults.empty()) co_return report(context, file->faults.error());
  auto domains = std::move(*file).domains();
  if (auto added = co_await app->store().add_domains(std::move(domains), {}); !added) {
    co_return report(context, added.error());
  }
  auto rows = co_await app->store().domains();
  if (!rows) co_return report(context, rows.error());
  std::vector<WorkRequest> requests;
  for (const auto& row : *rows) {
    requests.push_back(request_for(row.domain, WorkRequest::Kind::issue));
  }
  co_return co_await carry_out(app, context, std::move(requests), done);
}

Task<void> play(runtime::EventLoop* loop, runtime::Offload* offload, Context context,
                Options options, Performance* performance) {
  auto made = DemoFolder::make(options.keep);
  if (!made) {
    performance->status = report(context, made.error());
    co_return;
  }
  const auto folder = (*made)->path();
  demo::StageOptions wanted{.folder = folder, .domains = options.domains};
  auto stage = co_await demo::Stage::set(loop, offload, std::move(wanted));
  if (!stage) {
    performance->status = report(context, stage.error());
    co_return;
  }
  log::info("Pebble and nginx run, the config is {}", (folder / "certherd.toml").string());

  int status = some_failed;
  if (auto created = app::create_folder(folder, (*stage)->config()); !created) {
    status = report(context, created.error());
  } else if (auto config = app::load_config(folder / "certherd.toml"); !config) {
    status = report(context, config.error());
  } else if (auto app = app::App::open(std::move(*config), *loop); !app) {
    status = report(context, app.error());
  } else {
    auto inventory = (*stage)->inventory();
    status =
        co_await issue_inventory(app->get(), context, std::move(inventory), &performance->done);
  }
  performance->status = status;
  const auto& done = performance->done;
  if (!context.json) {
    if (!options.keep.empty()) {
      fmt::print("kept: certherd --config {}/certherd.toml domain list\n", folder.string());
    }
    fmt::print("{} domains · {} issued · {} stored · {} installed · {} served\n", options.domains,
               done.issued, done.stored, done.installed, done.served);
    (void)std::fflush(stdout);
  }
  if (status != interrupted && options.serve) {
    log::info("Pebble and nginx go on until Ctrl-C");
    co_await runtime::wait_for_termination(loop);
  }
  co_await (*stage)->strike();
}

// carry_out() saves its state at Ctrl-C once it watches for it; until then there is nothing to
// save, only children and the folder to take along.
Task<void> cancel_at_signal(runtime::EventLoop* loop, runtime::TaskGroup* group,
                            const Performance* performance, int* signal) {
  *signal = co_await runtime::wait_for_termination(loop);
  if (!performance->done.minds_signals) group->cancel();
}

Task<int> play_until_signal(runtime::EventLoop* loop, runtime::Offload* offload, Context context,
                            Options options) {
  Performance performance;
  runtime::TaskGroup playing(*loop);
  runtime::TaskGroup watching(*loop);
  int signal = SIGINT;
  watching.spawn(cancel_at_signal(loop, &playing, &performance, &signal));
  playing.spawn(play(loop, offload, std::move(context), std::move(options), &performance));
  co_await playing.join();
  watching.cancel();
  co_await watching.join();
  co_return performance.status.value_or(signal == SIGINT ? interrupted : all_done);
}

int demo(const Context& context, const Options& options) {
  auto loop = runtime::make_event_loop();
  auto offload = runtime::make_thread_offload(*loop, 1);
  return loop->run(play_until_signal(loop.get(), offload.get(), context, options));
}

}  // namespace

void add_demo(CLI::App& parent, Context& context) {
  auto* command = parent.add_subcommand(
      "demo", "The whole pipeline on this machine: Pebble, our DNS, files, nginx");
  command->footer(
      "Starts Pebble as the CA and nginx as the edge, makes an inventory, and lets the ordinary\n"
      "program get, store, install and prove a certificate for each domain. Needs no root and no\n"
      "network; leaves nothing behind unless it is told to.\n\n"
      "Examples:\n"
      "  certherd demo\n"
      "  certherd demo --domains 500\n"
      "  certherd demo --keep /tmp/fleet --serve &\n"
      "  certherd --config /tmp/fleet/certherd.toml issue site-0001.fleet.test");
  auto options = std::make_shared<Options>();
  command->add_option("--domains", options->domains, "How many domains")
      ->type_name("N")
      ->check(CLI::Range(1, 9999))
      ->capture_default_str();
  command->add_option("--keep", options->keep, "Keep config and state in this new folder")
      ->type_name("DIR");
  command->add_flag("--serve", options->serve,
                    "Leave Pebble and nginx running until Ctrl-C, to try other commands");
  command->callback([&context, options] {
    context.action = [&context, options] { return demo(context, *options); };
  });
}

}  // namespace certherd::cli
