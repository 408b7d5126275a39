#include "end_to_end.hpp"

#include "app/create.hpp"

namespace certherd::e2e {

Call EndToEnd::call(std::vector<std::string> arguments, std::string input) const {
  return {.arguments = std::move(arguments),
          .folder = folder_.path(),
          .environment = environment_,
          .input = std::move(input)};
}

std::unique_ptr<Program> EndToEnd::start(std::vector<std::string> arguments) {
  return std::make_unique<Program>(loop(), call(std::move(arguments)));
}

Ended EndToEnd::run(std::vector<std::string> arguments, std::string input) {
  return Program(loop(), call(std::move(arguments), std::move(input))).wait();
}

void EndToEnd::configure(const std::string& from, const std::string& to) {
  auto text = content_of(path("certherd.toml"));
  const auto at = text.find(from);
  ASSERT_NE(at, std::string::npos) << from;
  write_file(path("certherd.toml"), text.replace(at, from.size(), to));
}

void OnStage::set_stage(demo::StageOptions options) {
  options.folder = folder();
  auto stage = loop().run(demo::Stage::set(&loop(), offload_.get(), std::move(options)));
  ASSERT_TRUE(stage) << stage.error().message();
  stage_ = std::move(*stage);
  const auto created = app::create_folder(folder(), stage_->config());
  ASSERT_TRUE(created) << created.error().message();
  write_file(path("inventory.csv"), stage_->inventory());
}

void OnStage::set_proxy(const CaProxy::Https& https) {
  const auto& pebble = stage_->pebble();
  proxy_ = std::make_unique<CaProxy>(pebble.directory_url(), pebble.trust_pem(), https);
  write_file(path("proxy-root.pem"), proxy_->trust_pem());
  configure(pebble.directory_url(), proxy_->directory_url());
  configure("pebble-https-root.pem", "proxy-root.pem");
}

void OnStage::add_inventory() {
  const auto imported = run({"domain", "import", "inventory.csv"});
  ASSERT_EQ(imported.status, 0) << imported.err;
}

void OnStage::TearDown() {
  proxy_.reset();
  if (stage_) loop().run(stage_->strike());
}

std::unique_ptr<app::App> OnStage::open_app() {
  auto config = app::load_config(path("certherd.toml"));
  if (!config) {
    ADD_FAILURE() << config.error().message();
    return nullptr;
  }
  auto app = app::App::open(std::move(*config), loop());
  if (!app) {
    ADD_FAILURE() << app.error().message();
    return nullptr;
  }
  return std::move(*app);
}

}  // namespace certherd::e2e
