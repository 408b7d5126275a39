#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <memory>

#include "app/lease.hpp"
#include "app/reseal.hpp"
#include "cli/context.hpp"

namespace certherd::cli {
namespace {

Task<int> reseal(app::App* app, Context context, std::string new_key) {
  std::optional<std::filesystem::path> given;
  if (!new_key.empty()) given = std::filesystem::absolute(new_key);
  auto change = app::reseal(app, std::move(given));
  auto resealed = co_await app::alone(app, std::move(change));
  if (!resealed) co_return report(context, resealed.error());
  const auto& source = app->config().seal_key;
  const auto place = source.env.empty() ? source.file.string() : source.env;
  const bool switched = !resealed->former_key.empty();
  if (context.json) {
    boost::json::object document{{"resealed", resealed->texts},
                                 {"seal_key", place},
                                 {"key", resealed->key_id},
                                 {"former_key", resealed->former_key_id},
                                 {"former_seal_key", nullptr}};
    if (switched) document["former_seal_key"] = resealed->former_key.string();
    print_json(document);
    co_return all_done;
  }
  fmt::print("{} sealed anew under key {}: {}\n", resealed->texts, resealed->key_id, place);
  if (switched) {
    fmt::print("the former key {} is kept in {}\n", resealed->former_key_id,
               resealed->former_key.string());
    fmt::print(
        "Copy the new key to a safe place; the former one still opens older backups of the "
        "store.\n");
  } else {
    fmt::print("old_seal_keys can be taken out of the config now.\n");
  }
  co_return all_done;
}

}  // namespace

void add_store(CLI::App& parent, Context& context) {
  auto* command = parent.add_subcommand("store", "The store and what is sealed in it");
  command->footer("Example:\n  certherd store reseal");
  require_command(*command);

  auto* resealing =
      command->add_subcommand("reseal", "Seal all keys in the store anew, under a new seal key");
  resealing->footer(
      "The new key is written beside the seal key's file first (.new), then everything in the "
      "store\n"
      "is sealed anew at one time, and then the new key takes the place of the present one, which "
      "is\n"
      "kept beside it (.old- and its id). If that is broken off at any point, all commands work "
      "on,\n"
      "and the next reseal finishes it. It refuses to run while another process executes.\n\n"
      "A seal key in an environment variable has to be changed there: put the new key into it, "
      "name\n"
      "the present one in old_seal_keys under [store], then run this.\n\n"
      "Examples:\n"
      "  certherd store reseal\n"
      "  certherd store reseal --new-key /media/safe/certherd.key");
  auto new_key = std::make_shared<std::string>();
  resealing
      ->add_option("--new-key", *new_key,
                   "The new key, 32 bytes in base64; else one is drawn, or with old_seal_keys the "
                   "config's")
      ->type_name("FILE");
  resealing->callback([&context, new_key] {
    context.action = [&context, new_key] {
      return with_app(context, [&](app::App* app) { return reseal(app, context, *new_key); });
    };
  });
}

}  // namespace certherd::cli
