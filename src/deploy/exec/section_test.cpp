#include "deploy/exec/section.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace certherd::deploy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Read {
  std::shared_ptr<const TargetSection> section;
  std::string faults;  ///< empty when there are none
};

Read read(const std::string& text, const std::string& folder = "/etc/certherd") {
  auto document = config::Document::parse("certherd.toml", "[t]\n" + text);
  auto section = document->root().section("t");
  Read read{.section = read_exec(section, folder), .faults = {}};
  if (!document->faults().empty()) read.faults = std::move(document->faults()).error().message();
  return read;
}

TEST(ExecSectionTest, ACommandIsEnough) {
  const auto exec = read("command = [\"true\"]\n");
  EXPECT_EQ(exec.faults, "");
  EXPECT_EQ(exec.section->accepts().keys, every_key_type());
}

TEST(ExecSectionTest, TakesEveryKey) {
  const auto exec = read(
      "command = [\"./install.sh\", \"now\"]\n"
      "actions = [\"install\", \"retire\", \"observe\", \"check\"]\n"
      "timeout = \"5s\"\nat_once = 1\nkeys = [\"rsa-2048\", \"ecdsa-p256\"]\n");
  EXPECT_EQ(exec.faults, "");
  EXPECT_THAT(exec.section->accepts().keys, ElementsAre(KeyType::ecdsa_p256, KeyType::rsa_2048));
}

TEST(ExecSectionTest, TellsWhatIsWrongWithEachKey) {
  const auto exec = read("actions = [\"observe\", \"renew\"]\nat_once = 0\nkeys = [\"ed25519\"]\n");
  EXPECT_THAT(exec.faults, HasSubstr("t.command: must be a program"));
  EXPECT_THAT(exec.faults, HasSubstr("t.actions: \"renew\" is no action"));
  EXPECT_THAT(exec.faults, HasSubstr("t.actions: must hold \"install\""));
  EXPECT_THAT(exec.faults, HasSubstr("t.at_once"));
  EXPECT_THAT(exec.faults, HasSubstr("t.keys: \"ed25519\" is no type of key"));
  EXPECT_THAT(read("command = [\"true\"]\nkeys = []\n").faults, HasSubstr("t.keys"));
}

/// A program has no limit that we know of.
class NoBudget final : public runtime::Budget {
 public:
  Task<Result<Time>> take(runtime::Allowance, double, Time) override { return none(); }
  Task<Status> settle(runtime::Allowance, double, Time) override { co_return Status(); }
  Task<Result<Time>> taken_until(runtime::Allowance) override { return none(); }

 private:
  Task<Result<Time>> none() { co_return fail(Error::Kind::misconfigured, "draw", "unexpected"); }
};

TEST(ExecSectionTest, AProgramByItsPathIsRelativeToTheConfig) {
  auto loop = runtime::make_event_loop();
  auto offload = runtime::make_inline_offload();
  runtime::SystemRandom random;
  NoBudget budget;
  const auto is_found = [&](const std::string& program, const std::string& folder) {
    const auto exec = read("command = [\"" + program + "\"]\n", folder);
    auto target = exec.section->open({*loop, *offload, random, budget, "", {}});
    return loop->run((*target)->check()).has_value();
  };
  EXPECT_TRUE(is_found("./sh", "/bin"));
  EXPECT_FALSE(is_found("./sh", "/no/such/folder"));
  EXPECT_TRUE(is_found("/bin/sh", "/no/such/folder"));
  EXPECT_TRUE(is_found("sh", "/no/such/folder"));
}

}  // namespace
}  // namespace certherd::deploy
