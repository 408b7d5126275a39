#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/resource.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <sstream>

#include "app/accounts.hpp"
#include "crypto/encoding.hpp"
#include "crypto/sealer.hpp"
#include "end_to_end.hpp"

namespace certherd::e2e {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

constexpr auto eab_variable = "CERTHERD_TEST_EAB";
constexpr auto seal_variable = "CERTHERD_TEST_SEAL";
constexpr auto eab_key = "c2VjcmV0LW9mLXRoZS1leHRlcm5hbC1hY2NvdW50LTE";

/// A secret and what it would look like where it must not be.
struct Hidden {
  std::string name;
  std::vector<std::string> forms;
};

/// Lines of the PEM, and the DER as it is and in hex.
Hidden hidden_key(std::string name, const std::string& pem) {
  Hidden hidden{.name = std::move(name), .forms = {}};
  std::string body;
  std::istringstream stream(pem);
  for (std::string line; std::getline(stream, line);) {
    if (line.empty() || line.starts_with("-----")) continue;
    hidden.forms.push_back(line);
    body += line;
  }
  const auto der = crypto::from_base64(body);
  EXPECT_TRUE(der) << hidden.name;
  if (der) {
    hidden.forms.push_back(*der);
    hidden.forms.push_back(crypto::hex(*der));
  }
  return hidden;
}

class Secrets : public OnStage {
 protected:
  void SetUp() override {
    set_stage({.domains = 3, .domain_blocklist = {"blocked.fleet.test"}});
    seal_key_ = content_of(path("certherd.key"));
    seal_key_.erase(seal_key_.find_last_not_of('\n') + 1);
    configure("{ file = \"certherd.key\" }", fmt::format("{{ env = \"{}\" }}", seal_variable));
    configure("[dns.responder]",
              fmt::format("[ca.second]\ndirectory = \"{}\"\ntrust = \"pebble-https-root.pem\"\n"
                          "terms_of_service_agreed = true\n"
                          "eab = {{ kid = \"kid-1\", hmac = {{ env = \"{}\" }} }}\n\n"
                          "[dns.responder]",
                          stage_->pebble().directory_url(), eab_variable));
    configure("reload = [",
              fmt::format(R"(reload = ["sh", "-c", "env >>'{}'; exec \"$@\"", "sh", )",
                          path("environments").string()));
  }

  /// Runs it, watching what the whole machine is told of it, and gives its exit status.
  int said(std::vector<std::string> arguments, std::string input = {}) {
    auto call = this->call(std::move(arguments), std::move(input));
    call.environment = {{eab_variable, eab_key}, {seal_variable, seal_key_}};
    Program program(loop(), call);
    const bool over = eventually(loop(), std::chrono::minutes(2), [&] {
      for (const auto& line : processes_with("")) command_lines_.insert(line);
      return !program.running();
    });
    EXPECT_TRUE(over);
    const auto ended = program.wait();
    outputs_ += ended.out + ended.err;
    return ended.status;
  }

  std::vector<Hidden> all_secrets() {
    std::vector<Hidden> secrets = {{"the seal key", {seal_key_}}, {"the EAB key", {eab_key}}};
    if (const auto raw = crypto::from_base64(seal_key_)) {
      secrets[0].forms.push_back(*raw);
      secrets[0].forms.push_back(crypto::hex(*raw));
    }
    setenv(seal_variable, seal_key_.c_str(), 1);
    setenv(eab_variable, eab_key, 1);
    const auto app = open_app();
    unsetenv(seal_variable);
    unsetenv(eab_variable);
    if (!app) return secrets;
    const auto sealer = crypto::Sealer::from_key_text(Secret<std::string>(seal_key_));
    for (const auto* name : {"pebble", "second"}) {
      const CaName ca(name);
      const auto account = loop().run(app->store().account(ca));
      if (!account || !*account) continue;
      const auto pem = sealer->open((*account)->sealed_key, app::account_key_purpose(ca));
      EXPECT_TRUE(pem) << name;
      if (pem)
        secrets.push_back(hidden_key(fmt::format("the account key at {}", ca), pem->reveal()));
    }
    for (const auto& entry : fs::recursive_directory_iterator(path("vault"))) {
      if (entry.path().filename() != "private_key.pem" || entry.is_symlink()) continue;
      secrets.push_back(hidden_key("the key " + entry.path().string(), content_of(entry.path())));
    }
    return secrets;
  }

  /// Whether a file is a place for keys of domains.
  bool may_hold_keys(const fs::path& file) const {
    const auto within = file.lexically_relative(folder()).begin()->string();
    return within == "vault" || within == "edge" || within == "exported";
  }

  void expect_in_no_file(const std::vector<Hidden>& secrets) {
    for (const auto& entry : fs::recursive_directory_iterator(folder())) {
      if (!entry.is_regular_file() || entry.is_symlink()) continue;
      const auto content = content_of(entry.path());
      const auto& file = entry.path();
      bool holds_one = content.find("PRIVATE KEY-----") != std::string::npos;
      for (const auto& secret : secrets) {
        for (const auto& form : secret.forms) {
          if (content.find(form) == std::string::npos) continue;
          holds_one = true;
          const bool place = may_hold_keys(file) ? secret.name.starts_with("the key ")
                                                 : file == path("certherd.key");
          EXPECT_TRUE(place) << secret.name << " stands in " << file;
        }
      }
      const auto open = fs::perms::group_all | fs::perms::others_all;
      if (holds_one) {
        EXPECT_EQ(entry.status().permissions() & open, fs::perms::none) << file;
      }
    }
  }

  std::set<std::string> command_lines_;
  std::string outputs_;
  std::string seal_key_;
};

TEST_F(Secrets, StandOnlyWhereTheyBelongWhateverIsRun) {
  EXPECT_EQ(said({"-v", "init", "--dir", "another"}), 0);
  fs::remove_all(path("another"));
  EXPECT_EQ(said({"-v", "config", "check"}), 0);
  EXPECT_EQ(said({"-v", "domain", "import", "inventory.csv"}), 0);
  EXPECT_EQ(said({"-v", "domain", "add", "blocked.fleet.test"}), 0);
  EXPECT_EQ(said({"-v", "account", "register"}), 0);
  said({"-v", "account", "register", "--ca", "second"});
  EXPECT_EQ(said({"-v", "--json", "account", "show"}), 0);
  EXPECT_EQ(said({"-v", "account", "rotate-key"}), 0);
  EXPECT_EQ(said({"-v", "issue", "--all"}), 1);  // one is blocked
  EXPECT_EQ(said({"-v", "--json", "run", "--once"}), 1);
  const std::string site = "site-0001.fleet.test";
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"-v", "cert", "list"},
        {"-v", "--json", "cert", "show", site},
        {"-v", "cert", "export", site, "--dir", "exported"},
        {"-v", "deploy", site},
        {"-v", "cert", "revoke", site, "--reason", "keyCompromise", "--yes"},
        {"-v", "issue", site},
        {"-v", "domain", "export"},
        {"-v", "--json", "domain", "list"},
        {"-v", "--json", "log"}}) {
    EXPECT_EQ(said(command), 0) << command[2];
  }
  EXPECT_TRUE(fs::exists(path("exported")));
  // Whatever they find here, what they say is what counts.
  for (const auto* command : {"plan", "doctor", "scan"}) said({"-v", command});
  said({"-v", "store", "reseal"});
  EXPECT_EQ(said({"-v", "account", "deactivate", "--yes"}), 0);
  // A key that cannot open anything, and a config with a slip in it.
  std::swap(seal_key_.front(), seal_key_.back());
  said({"-v", "issue", "site-0001.fleet.test"});
  std::swap(seal_key_.front(), seal_key_.back());
  const auto config = content_of(path("certherd.toml"));
  write_file(path("certherd.toml"), config + "\nkey = \"" + eab_key + "\"\n");
  EXPECT_EQ(said({"-v", "config", "check"}), 2);
  write_file(path("certherd.toml"), config);

  const auto secrets = all_secrets();
  EXPECT_GE(secrets.size(), 2U + 1U + 3U);
  std::string lines;
  for (const auto& line : command_lines_) lines += line + '\n';
  EXPECT_THAT(lines, HasSubstr("certherd"));
  const auto environments = content_of(path("environments"));
  EXPECT_THAT(environments, HasSubstr("PATH="));
  for (const auto& secret : secrets) {
    for (const auto& form : secret.forms) {
      EXPECT_EQ(outputs_.find(form), std::string::npos) << secret.name << " was shown";
      EXPECT_EQ(lines.find(form), std::string::npos) << secret.name << " was an argument";
      EXPECT_EQ(environments.find(form), std::string::npos) << secret.name << " was handed on";
    }
  }
  EXPECT_THAT(outputs_, Not(HasSubstr("PRIVATE KEY")));
  expect_in_no_file(secrets);
}

TEST_F(Secrets, AreInNoCoreDump) {
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_CORE, &limit), 0);
  limit.rlim_cur = limit.rlim_max;  // as somebody may have set it for all
  ASSERT_EQ(setrlimit(RLIMIT_CORE, &limit), 0);
  ASSERT_NE(limit.rlim_max, 0U) << "no process of this machine could leave a core dump";
  Call call = this->call({"issue", "--all"});
  call.environment = {{eab_variable, eab_key}, {seal_variable, seal_key_}};
  ASSERT_EQ(said({"domain", "import", "inventory.csv"}), 0);
  Program program(loop(), call);
  const auto limits = fmt::format("/proc/{}/limits", program.pid());
  std::string seen;
  ASSERT_TRUE(eventually(loop(), std::chrono::seconds(30), [&] {
    std::istringstream lines(content_of(limits));
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("Max core file size")) seen = line;
    }
    return !program.running() || seen.find("size        0 ") != std::string::npos;
  }));
  EXPECT_TRUE(program.running()) << seen;
  program.wait();
}

}  // namespace
}  // namespace certherd::e2e
