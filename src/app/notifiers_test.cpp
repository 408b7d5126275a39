#include "app/notifiers.hpp"

#include <gmock/gmock.h>

#include <fstream>

namespace certherd::app {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(OpenNotifiers, OneThatCannotBeOpenedFailsAloneAndSaysWhy) {
  auto pattern = (fs::temp_directory_path() / "notifiers-test-XXXXXX").string();
  const fs::path folder = mkdtemp(pattern.data());
  std::ofstream(folder / "certherd.toml") << R"(
[notify.good]
type = "webhook"
url = "https://a.example/hook"
events = ["account"]
[notify.bad]
type = "webhook"
url = { file = "missing" }
)";
  const auto config = load_config(folder / "certherd.toml");
  fs::remove_all(folder);
  ASSERT_TRUE(config) << config.error().message();
  const auto loop = runtime::make_event_loop();
  const auto offload = runtime::make_inline_offload();

  const auto notifiers = open_notifiers(*config, *loop, *offload);

  ASSERT_THAT(notifiers.by_name(),
              ElementsAre(testing::Key(NotifierName("bad")), testing::Key(NotifierName("good"))));
  const auto sent = loop->run(notifiers.opened.at(NotifierName("bad"))->send({}));
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().kind, Error::Kind::misconfigured);
  EXPECT_THAT(sent.error().message(),
              testing::AllOf(HasSubstr("open [notify.bad]"), HasSubstr("missing")));
  ASSERT_EQ(notifiers.subscriptions.size(), 2);
  EXPECT_THAT(notifiers.subscriptions[1].kinds, ElementsAre(Alarm::Kind::account));
}

}  // namespace
}  // namespace certherd::app
