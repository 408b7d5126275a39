#include "deploy/acm/acm.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <vector>

#include "base/log.hpp"
#include "config/section.hpp"
#include "crypto/x509.hpp"
#include "deploy/acm/section.hpp"
#include "fakes/acm_stage.hpp"
#include "runtime/together.hpp"

namespace certherd::deploy {
namespace {

using fakes::ScriptedAcm;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using Fault = ScriptedAcm::Fault;
using Kind = Error::Kind;
using Tags = std::map<std::string, std::string>;

constexpr const char* domain = "example.com";
constexpr const char* load_balancer =
    "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/web/1";
const Tags our_tags = {{"managed-by", "certherd"}, {"domain", domain}};

std::string key_of(std::uint64_t serial) { return fmt::format("{:02x}", serial); }

/// The target on a Certificate Manager of its own.
class World {
 public:
  explicit World(int attempts = 1, AcmOptions options = {})
      : stage_(attempts), target_(stage_.target(std::move(options))) {}

  Result<Receipt> install(std::uint64_t serial, const std::string& name = domain) {
    return install(stage_.issuer().issue({name}, serial), serial, name);
  }
  Result<Receipt> install(Material material, std::uint64_t serial,
                          const std::string& name = domain) {
    return run(target_->install(Fqdn::literal(name), std::move(material), key_of(serial)));
  }
  Status clean_up(std::uint64_t serial) { return run(target_->clean_up(receipt(serial))); }
  Status retire(std::uint64_t serial) { return run(target_->retire(receipt(serial))); }
  std::string observed(const std::string& name = domain) {
    const auto found = run(target_->observe(Fqdn::literal(name)));
    if (!found) return found.error().message();
    return *found ? (*found)->version_key : "none";
  }

  std::string put_by_hand(std::uint64_t serial, Tags tags, const std::string& name = domain) {
    return aws().put_by_hand(stage_.issuer().issue({name}, serial), std::move(tags));
  }
  Material with_key(KeyType type, std::uint64_t serial) {
    return stage_.issuer().issue(crypto::PrivateKey::generate(type).value(), {domain}, serial);
  }
  std::string serial_at(const std::string& arn) {
    return crypto::read_chain(aws().certificates().at(arn).leaf)->front().serial.text();
  }
  std::string only_arn() {
    EXPECT_THAT(aws().certificates(), SizeIs(1));
    return aws().certificates().begin()->first;
  }

  /// The operations since the n-th call.
  std::vector<std::string> operations(std::size_t from = 0) {
    std::vector<std::string> found;
    for (std::size_t i = from; i < aws().calls().size(); ++i) {
      found.push_back(aws().calls()[i].operation);
    }
    return found;
  }

  void sleep(Duration duration) { stage_.run(stage_.loop().clock().sleep_for(duration)); }
  template <typename T>
  T run(Task<T> task) {
    return stage_.run(std::move(task));
  }
  fakes::AcmStage& stage() { return stage_; }
  ScriptedAcm& aws() { return stage_.aws(); }
  Target& target() { return *target_; }

 private:
  static Receipt receipt(std::uint64_t serial) {
    return {.domain = Fqdn::literal(domain), .version_key = key_of(serial)};
  }

  fakes::AcmStage stage_;
  std::unique_ptr<Target> target_;
};

class AcmTarget : public testing::Test {
 protected:
  void SetUp() override { log::set_level(log::Level::error); }
};

TEST_F(AcmTarget, ImportsOnceWithTags) {
  World world(1, {.tags = {{"team", "web"}}});
  EXPECT_EQ(world.observed(), "none");
  const auto installed = world.install(1);
  ASSERT_TRUE(installed) << installed.error().message();
  EXPECT_EQ(installed->outcome, Installed::installed);
  const auto& certificate = world.aws().certificates().at(world.only_arn());
  EXPECT_EQ(certificate.tags,
            (Tags{{"managed-by", "certherd"}, {"domain", domain}, {"team", "web"}}));
  EXPECT_EQ(certificate.chain, world.stage().issuer().root_pem());
  EXPECT_EQ(world.observed(), "01");

  const auto again = world.install(
      {.csr = {},
       .private_key =
           crypto::PrivateKey::generate(KeyType::ecdsa_p256)->to_pem(),  // is not looked at
       .fullchain = certificate.leaf},
      1);
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(again->outcome, Installed::unchanged);
  EXPECT_EQ(world.aws().writes(), 1);
}

TEST_F(AcmTarget, RefusesAnotherContentUnderTheSameSerial) {
  World world;
  ASSERT_TRUE(world.install(1));
  const auto refused = world.install(1);  // issued anew
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::rejected);
  EXPECT_EQ(world.aws().writes(), 1);
}

TEST_F(AcmTarget, ImportsANewVersionUnderTheSameArnByOneWrite) {
  World world;
  ASSERT_TRUE(world.install(1));
  const auto arn = world.only_arn();
  const auto before = world.aws().calls().size();
  const auto renewed = world.install(0xfeed);
  ASSERT_TRUE(renewed) << renewed.error().message();
  EXPECT_EQ(renewed->outcome, Installed::installed);
  EXPECT_THAT(world.operations(before), ElementsAre("DescribeCertificate", "ImportCertificate"));
  EXPECT_EQ(world.only_arn(), arn);
  EXPECT_EQ(world.observed(), "feed");
  EXPECT_EQ(world.aws().certificates().at(arn).tags, our_tags);
}

TEST_F(AcmTarget, SpellsAWildcardInItsTag) {
  World world;
  ASSERT_TRUE(world.install(1, "*.example.com"));
  ASSERT_TRUE(world.install(2, "example.com"));
  EXPECT_EQ(world.observed("*.example.com"), "01");
  EXPECT_EQ(world.aws().certificates().begin()->second.tags.at("domain"), "_wildcard.example.com");
}

TEST_F(AcmTarget, LeavesCertificatesOfOthersAlone) {
  World world;
  world.put_by_hand(0x10, {});
  world.put_by_hand(0x11, {{"managed-by", "terraform"}, {"domain", domain}});
  world.put_by_hand(0x12, {{"managed-by", "certherd"}, {"domain", "www.example.com"}});
  const auto issued = world.put_by_hand(0x13, our_tags);
  world.aws().certificates().at(issued).type = "AMAZON_ISSUED";
  EXPECT_EQ(world.observed(), "none");
  ASSERT_TRUE(world.install(1));
  EXPECT_THAT(world.aws().certificates(), SizeIs(5));
  ASSERT_TRUE(world.clean_up(1));
  ASSERT_TRUE(world.retire(1));
  EXPECT_THAT(world.aws().certificates(), SizeIs(4));
  EXPECT_EQ(world.aws().writes(), 2);
}

TEST_F(AcmTarget, ListsAllPagesOnceAndReadsTagsOfTheDomainsAlone) {
  World world;
  world.aws().set_page_size(3);
  for (int i = 0; i < 10; ++i) world.put_by_hand(0x10, {}, fmt::format("site-{}.example.net", i));
  const auto arn = world.put_by_hand(1, our_tags);
  EXPECT_EQ(world.observed(), "01");
  EXPECT_EQ(world.aws().count("ListCertificates"), 4);
  EXPECT_EQ(world.aws().count("ListTagsForCertificate"), 1);
  ASSERT_TRUE(world.install(2));
  EXPECT_EQ(world.observed("site-3.example.net"), "none");
  EXPECT_EQ(world.aws().count("ListCertificates"), 4);
  EXPECT_EQ(world.aws().count("ListTagsForCertificate"), 2);
  EXPECT_EQ(world.serial_at(arn), "02");
}

TEST_F(AcmTarget, SeesAfterTenMinutesWhatOthersHaveDone) {
  World world;
  EXPECT_EQ(world.observed(), "none");
  world.put_by_hand(1, our_tags);
  EXPECT_EQ(world.observed(), "none");
  world.sleep(std::chrono::minutes(10));
  EXPECT_EQ(world.observed(), "01");
}

TEST_F(AcmTarget, KnowsItsOwnImportsBeforeListsDo) {
  World world;
  EXPECT_EQ(world.observed(), "none");
  world.sleep(std::chrono::minutes(9));
  world.aws().set_list_lag(std::chrono::minutes(5));
  ASSERT_TRUE(world.install(1));
  world.sleep(std::chrono::minutes(2));
  EXPECT_EQ(world.observed(), "01");
  EXPECT_EQ(world.aws().count("ListCertificates"), 2);
  ASSERT_TRUE(world.install(2));
  EXPECT_EQ(world.serial_at(world.only_arn()), "02");
}

TEST_F(AcmTarget, ImportsAnewWhatSomebodyHasDeleted) {
  World world;
  ASSERT_TRUE(world.install(1));
  world.aws().certificates().clear();
  EXPECT_EQ(world.observed(), "none");
  const auto installed = world.install(1);
  ASSERT_TRUE(installed) << installed.error().message();
  EXPECT_EQ(world.observed(), "01");

  // Between the look and the write.
  world.aws().before(2, [&world] { world.aws().certificates().clear(); });
  const auto gone = world.install(2);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().kind, Kind::transient);
  ASSERT_TRUE(world.install(2));
  EXPECT_EQ(world.observed(), "02");
}

TEST_F(AcmTarget, DoesNotTryToChangeTheTypeOfAKey) {
  World world;
  ASSERT_TRUE(world.install(1));
  const auto arn = world.only_arn();
  const auto unused = world.install(world.with_key(KeyType::ecdsa_p384, 2), 2);
  ASSERT_FALSE(unused);
  EXPECT_EQ(unused.error().kind, Kind::misconfigured);
  EXPECT_THAT(unused.error().message(), HasSubstr("its key is EC_prime256v1 and the new one "
                                                  "EC_secp384r1"));
  EXPECT_THAT(unused.error().message(), HasSubstr("set key = \"ecdsa-p256\""));
  EXPECT_THAT(unused.error().message(), HasSubstr("delete-certificate --certificate-arn " + arn));

  world.aws().certificates().at(arn).in_use_by = {load_balancer};
  const auto used = world.install(world.with_key(KeyType::ecdsa_p384, 2), 2);
  ASSERT_FALSE(used);
  EXPECT_THAT(used.error().message(), HasSubstr("remove-tags-from-certificate"));
  EXPECT_THAT(used.error().message(), HasSubstr(load_balancer));
  EXPECT_EQ(world.aws().writes(), 1);

  // The way out that it names.
  world.aws().certificates().at(arn).tags.erase("managed-by");
  world.sleep(std::chrono::minutes(10));
  ASSERT_TRUE(world.install(world.with_key(KeyType::ecdsa_p384, 2), 2));
  EXPECT_EQ(world.observed(), "02");
  EXPECT_EQ(world.serial_at(arn), "01");
}

TEST_F(AcmTarget, TellsTheWayOutWhereKeyUsagesDiffer) {
  World world;
  ASSERT_TRUE(world.install(1));
  world.aws().disturb(
      2, ScriptedAcm::refusal("ValidationException",
                              "New certificate is missing one or more Extended Key Usages "
                              "supported by the currently imported certificate"));
  const auto refused = world.install(2);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::misconfigured);
  EXPECT_THAT(refused.error().message(), HasSubstr("takes no key usage away"));
  EXPECT_THAT(refused.error().message(), HasSubstr("delete it, since nobody uses it"));
}

TEST_F(AcmTarget, LooksForAnImportWhoseAnswerWasLost) {
  for (const auto& fault : {ScriptedAcm::lost_reply(), ScriptedAcm::truncated()}) {
    World world(3);
    EXPECT_EQ(world.observed(), "none");
    world.aws().set_list_lag(std::chrono::seconds(5));
    world.aws().disturb(1, fault);
    const auto installed = world.install(1);
    ASSERT_TRUE(installed) << installed.error().message();
    EXPECT_EQ(world.aws().count("ImportCertificate"), 1);
    EXPECT_EQ(world.serial_at(world.only_arn()), "01");
  }
}

TEST_F(AcmTarget, ImportsNothingTwiceThatShowsLate) {
  World world(3);
  EXPECT_EQ(world.observed(), "none");
  world.aws().set_list_lag(std::chrono::minutes(1));
  world.aws().disturb(1, ScriptedAcm::lost_reply());
  const auto unknown = world.install(1);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().kind, Kind::transient);
  EXPECT_EQ(world.aws().count("ImportCertificate"), 1);

  world.sleep(std::chrono::minutes(1));
  const auto installed = world.install(2);
  ASSERT_TRUE(installed) << installed.error().message();
  EXPECT_EQ(world.serial_at(world.only_arn()), "02");
}

TEST_F(AcmTarget, KeepsTheOneThatIsUsedAndDeletesItsDuplicates) {
  World world;
  world.put_by_hand(0x10, our_tags);
  const auto used = world.put_by_hand(0x11, our_tags);
  world.put_by_hand(0x12, our_tags);
  world.aws().certificates().at(used).in_use_by = {load_balancer};
  EXPECT_EQ(world.observed(), "11");
  ASSERT_TRUE(world.install(1));
  EXPECT_EQ(world.aws().count("ImportCertificate"), 1);
  EXPECT_EQ(world.serial_at(used), "01");
  EXPECT_THAT(world.aws().certificates(), SizeIs(3)) << "before it has been seen served";
  const auto cleaned = world.clean_up(1);
  ASSERT_TRUE(cleaned) << cleaned.error().message();
  EXPECT_EQ(world.only_arn(), used);
  EXPECT_EQ(world.observed(), "01");
}

TEST_F(AcmTarget, UpdatesAllThatAreUsed) {
  World world;
  for (const std::uint64_t serial : {0x10U, 0x11U}) {
    const auto arn = world.put_by_hand(serial, our_tags);
    world.aws().certificates().at(arn).in_use_by = {load_balancer};
  }
  EXPECT_EQ(world.observed(), "") << "they differ";
  ASSERT_TRUE(world.install(1));
  EXPECT_EQ(world.observed(), "01");
  ASSERT_TRUE(world.clean_up(1));
  EXPECT_THAT(world.aws().certificates(), SizeIs(2));
}

TEST_F(AcmTarget, DeletesNothingWhenSomebodyHasBegunToUseAnother) {
  World world;
  world.put_by_hand(0x10, our_tags);
  const auto other = world.put_by_hand(0x11, our_tags);
  ASSERT_TRUE(world.install(1));
  world.aws().certificates().at(other).in_use_by = {load_balancer};
  EXPECT_TRUE(world.clean_up(1));
  EXPECT_THAT(world.aws().certificates(), SizeIs(2));
  ASSERT_TRUE(world.install(2));
  EXPECT_EQ(world.serial_at(other), "02");
  EXPECT_TRUE(world.clean_up(2));
  EXPECT_EQ(world.only_arn(), other);
}

TEST_F(AcmTarget, LeavesADuplicateThatIsTakenIntoUseMeanwhile) {
  World world;
  world.put_by_hand(1, our_tags);
  const auto other = world.put_by_hand(0x11, our_tags);
  EXPECT_EQ(world.observed(), "01");
  const auto before = world.aws().calls().size();
  world.aws().before(
      3, [&world, &other] { world.aws().certificates().at(other).in_use_by = {load_balancer}; });
  EXPECT_TRUE(world.clean_up(1));
  EXPECT_THAT(world.operations(before),
              ElementsAre("DescribeCertificate", "DescribeCertificate", "DeleteCertificate"));
  EXPECT_THAT(world.aws().certificates(), SizeIs(2));
}

TEST_F(AcmTarget, CleansUpWithoutACallWhereThereIsOne) {
  World world;
  ASSERT_TRUE(world.install(1));
  const auto before = world.aws().calls().size();
  EXPECT_TRUE(world.clean_up(1));
  EXPECT_THAT(world.operations(before), IsEmpty());
}

TEST_F(AcmTarget, DoesNotRetireWhatIsUsed) {
  World world;
  ASSERT_TRUE(world.install(1));
  const auto arn = world.only_arn();
  world.aws().certificates().at(arn).in_use_by = {load_balancer};
  const auto refused = world.retire(1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::conflict);
  EXPECT_THAT(refused.error().message(), HasSubstr(arn));
  EXPECT_THAT(refused.error().message(),
              HasSubstr(fmt::format("it is in use: take it from {} first", load_balancer)));
  world.aws().certificates().at(arn).in_use_by.clear();
  EXPECT_TRUE(world.retire(1));
  EXPECT_EQ(world.observed(), "none");
}

TEST_F(AcmTarget, RetiresDuplicatesWithTheirDomain) {
  World world;
  world.put_by_hand(1, our_tags);
  const auto other = world.put_by_hand(2, our_tags);
  EXPECT_TRUE(world.retire(3)) << "a version that does not stand there";
  EXPECT_THAT(world.aws().certificates(), SizeIs(2));
  EXPECT_TRUE(world.retire(2)) << "the one that does not count";
  EXPECT_THAT(world.aws().certificates(), SizeIs(1));
  EXPECT_FALSE(world.aws().certificates().contains(other));
  world.put_by_hand(2, our_tags);
  world.sleep(std::chrono::minutes(10));
  EXPECT_TRUE(world.retire(1));
  EXPECT_THAT(world.aws().certificates(), IsEmpty());
}

TEST_F(AcmTarget, SendsNoKeyThatIsTooLarge) {
  World world;
  auto material = world.stage().issuer().issue({domain}, 1);
  material.private_key =
      Secret<std::string>(material.private_key.reveal() + std::string(5000, '\n'));
  const auto refused = world.install(std::move(material), 1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::misconfigured);
  EXPECT_THAT(refused.error().message(), HasSubstr("takes 5120 at most"));
  EXPECT_THAT(world.aws().calls(), IsEmpty());
}

Task<void> install_one(World* world, std::string name, std::uint64_t serial, int* installed) {
  auto material = world->stage().issuer().issue({name}, serial);
  auto receipt =
      co_await world->target().install(Fqdn::literal(name), std::move(material), key_of(serial));
  if (receipt) ++*installed;
}

TEST_F(AcmTarget, InstallsManyAtOnceWithinTheQuotas) {
  World world;
  world.stage().take_time(std::chrono::milliseconds(5));
  constexpr int domains = 15;
  int installed = 0;
  for (const std::uint64_t serial : {1U, 2U}) {
    std::vector<Task<void>> tasks;
    for (int i = 0; i < domains; ++i) {
      tasks.push_back(
          install_one(&world, fmt::format("site-{}.example.com", i), serial, &installed));
    }
    world.run(runtime::together(std::move(tasks)));
  }
  EXPECT_EQ(installed, 2 * domains);
  EXPECT_EQ(world.aws().throttled(), 0);
  EXPECT_EQ(world.aws().count("ListCertificates"), 1);
  EXPECT_EQ(world.aws().count("ListTagsForCertificate"), 0);
  EXPECT_THAT(world.aws().certificates(), SizeIs(domains));
  const auto& taken = world.stage().budget().taken();
  EXPECT_EQ(taken.at("acm-imports/123456789012/eu-west-1"), 2 * domains);
  EXPECT_EQ(taken.at("acm-descriptions/123456789012/eu-west-1"), domains);
}

TEST_F(AcmTarget, TellsAllThatWaitForAListWhyThereIsNone) {
  World world;
  world.stage().take_time(std::chrono::milliseconds(5));
  int installed = 0;
  world.aws().disturb(1, ScriptedAcm::refusal("AccessDeniedException"));
  std::vector<Task<void>> tasks;
  for (int i = 0; i < 10; ++i) {
    tasks.push_back(install_one(&world, fmt::format("site-{}.example.com", i), 1, &installed));
  }
  world.run(runtime::together(std::move(tasks)));
  EXPECT_EQ(installed, 0);
  EXPECT_THAT(world.operations(), ElementsAre("ListCertificates"));
  ASSERT_TRUE(world.install(1)) << "and the next one asks again";
}

struct Meaning {
  std::string code;
  int status;
  Kind kind;
  std::string words;
};

TEST_F(AcmTarget, GivesEachErrorItsKindAndWords) {
  const std::vector<Meaning> meanings = {
      {"LimitExceededException", 400, Kind::throttled, "5,000 imports in 365 days"},
      {"ConflictException", 400, Kind::transient, "as the script says"},
      {"RequestInProgressException", 400, Kind::transient, "as the script says"},
      {"ResourceInUseException", 400, Kind::conflict, "as the script says"},
      {"InvalidArnException", 400, Kind::misconfigured, "as the script says"},
      {"InvalidArgsException", 400, Kind::misconfigured, "as the script says"},
      {"InvalidParameterException", 400, Kind::misconfigured, "as the script says"},
      {"ValidationException", 400, Kind::misconfigured, "as the script says"},
      {"InvalidTagException", 400, Kind::misconfigured, "check `tags` of the target"},
      {"TooManyTagsException", 400, Kind::misconfigured, "check `tags` of the target"},
      {"TagPolicyException", 400, Kind::misconfigured, "tag policy of the organization"},
      {"SomethingNewException", 400, Kind::misconfigured, "as the script says"},
      {"AccessDeniedException", 400, Kind::denied, "as the script says"},
      {"ThrottlingException", 400, Kind::throttled, "as the script says"},
  };
  for (const auto& meaning : meanings) {
    World world;
    EXPECT_EQ(world.observed(), "none");
    world.aws().disturb(1,
                        ScriptedAcm::refusal(meaning.code, "as the script says", meaning.status));
    const auto refused = world.install(1);
    ASSERT_FALSE(refused) << meaning.code;
    EXPECT_EQ(to_string(refused.error().kind), to_string(meaning.kind)) << meaning.code;
    EXPECT_THAT(refused.error().message(), HasSubstr(meaning.words)) << meaning.code;
    EXPECT_THAT(refused.error().message(), testing::StartsWith("install example.com"));
    EXPECT_THAT(world.aws().certificates(), IsEmpty());
  }
}

TEST_F(AcmTarget, DoesNotTryAQuotaAgain) {
  World world(3);
  EXPECT_EQ(world.observed(), "none");
  world.aws().disturb(1, ScriptedAcm::refusal("LimitExceededException"));
  ASSERT_FALSE(world.install(1));
  EXPECT_EQ(world.aws().count("ImportCertificate"), 1);
}

TEST_F(AcmTarget, TriesAThrottledImportAgain) {
  World world(3);
  EXPECT_EQ(world.observed(), "none");
  world.aws().disturb(1, ScriptedAcm::refusal("ThrottlingException", "Rate exceeded"));
  const auto installed = world.install(1);
  ASSERT_TRUE(installed) << installed.error().message();
  EXPECT_EQ(world.aws().count("ImportCertificate"), 2);
}

TEST_F(AcmTarget, NeverShowsWhatItSent) {
  for (const auto* const shown : {"-----BEGIN PRIVATE KEY-----", "LS0tLS1CRUdJTiBQUklWQVRF"}) {
    World world(3);
    EXPECT_EQ(world.observed(), "none");
    world.aws().disturb(
        1, ScriptedAcm::refusal("InternalServerError", fmt::format("cannot keep {}", shown), 500));
    const auto refused = world.install(1);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message(), HasSubstr("InternalServerError"));
    EXPECT_THAT(refused.error().message(), Not(HasSubstr(shown)));
  }
}

TEST_F(AcmTarget, ChecksByReadingAlone) {
  World world;
  EXPECT_TRUE(world.run(world.target().check()));
  EXPECT_THAT(world.operations(), ElementsAre("ListCertificates"));
  world.aws().disturb(1, ScriptedAcm::refusal("AccessDeniedException"));
  const auto refused = world.run(world.target().check());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::denied);
}

/// Wherever an install breaks off, the next one ends with one certificate, be it of the same
/// version or of another one, and the former stands until then.
TEST_F(AcmTarget, BrokenOffAnywhereLeavesOneCertificate) {
  for (const bool is_first : {true, false}) {
    for (const auto& fault :
         {ScriptedAcm::lost_request(), ScriptedAcm::lost_reply(), ScriptedAcm::truncated()}) {
      for (int call = 1;; ++call) {
        SCOPED_TRACE(fmt::format("{}, call {} {}", is_first ? "first" : "renewal", call,
                                 fault.after_its_work ? "after" : "before"));
        World world;
        world.aws().set_list_lag(std::chrono::seconds(5));
        if (!is_first) world.put_by_hand(1, our_tags);
        auto material = world.stage().issuer().issue({domain}, 2);
        world.aws().disturb(call, fault);
        (void)world.install(material, 2);
        EXPECT_LE(world.aws().certificates().size(), 1U);
        if (!is_first) EXPECT_THAT(world.aws().certificates(), SizeIs(1));
        if (!world.aws().was_disturbed()) {
          EXPECT_GT(call, is_first ? 2 : 4);
          break;
        }
        const std::uint64_t next = call % 2 == 0 ? 2 : 3;
        const auto again = next == 2 ? world.install(std::move(material), 2) : world.install(next);
        ASSERT_TRUE(again) << again.error().message();
        EXPECT_EQ(world.serial_at(world.only_arn()), key_of(next));
        EXPECT_EQ(world.aws().certificates().begin()->second.tags, our_tags);
      }
    }
  }
}

TEST_F(AcmTarget, LosesNoReplyForGood) {
  for (const bool is_first : {true, false}) {
    for (int call = 1;; ++call) {
      World world(3);
      if (!is_first) world.put_by_hand(1, our_tags);
      world.aws().disturb(call, ScriptedAcm::lost_reply());
      const auto installed = world.install(2);
      ASSERT_TRUE(installed) << call << ": " << installed.error().message();
      EXPECT_EQ(world.serial_at(world.only_arn()), "02");
      if (!world.aws().was_disturbed()) break;
    }
  }
}

TEST_F(AcmTarget, RetiringThatBreaksOffIsFinishedByTheNext) {
  for (const auto& fault : {ScriptedAcm::lost_request(), ScriptedAcm::lost_reply()}) {
    for (int call = 1;; ++call) {
      World world;
      world.put_by_hand(1, our_tags);
      world.aws().disturb(call, fault);
      (void)world.retire(1);
      if (!world.aws().was_disturbed()) break;
      const auto again = world.retire(1);
      EXPECT_TRUE(again) << again.error().message();
      EXPECT_THAT(world.aws().certificates(), IsEmpty());
    }
  }
}

/// Reads [t] of a config; what is wrong with it becomes text.
struct Read {
  explicit Read(std::string_view text) {
    auto document = config::Document::parse("c.toml", text).value();
    auto section = document.root().section("t");
    target = read_acm(section, ".");
    if (!document.faults().empty()) faults = std::move(document.faults()).error().message();
  }
  std::shared_ptr<const TargetSection> target;
  std::string faults;
};

TEST(AcmSection, TakesWhatItsServiceTakes) {
  const Read balancer("[t]\nregion = \"eu-west-1\"\ntags = {team = \"web\"}\n");
  EXPECT_EQ(balancer.faults, "");
  EXPECT_TRUE(balancer.target->accepts().takes(KeyType::ecdsa_p384));
  const Read cloudfront("[t]\nservice = \"cloudfront\"\nprofile = \"edge\"\n");
  EXPECT_EQ(cloudfront.faults, "");
  EXPECT_FALSE(cloudfront.target->accepts().takes(KeyType::ecdsa_p384));
  for (const auto type :
       {KeyType::ecdsa_p256, KeyType::rsa_2048, KeyType::rsa_3072, KeyType::rsa_4096}) {
    EXPECT_TRUE(balancer.target->accepts().takes(type));
    EXPECT_TRUE(cloudfront.target->accepts().takes(type));
  }
}

TEST(AcmSection, TellsWhatIsWrong) {
  EXPECT_THAT(Read("[t]\nservice = \"cloudfront\"\nregion = \"eu-west-1\"\n").faults,
              HasSubstr("must be us-east-1 for CloudFront"));
  EXPECT_EQ(Read("[t]\nservice = \"cloudfront\"\nregion = \"us-east-1\"\n").faults, "");
  EXPECT_THAT(Read("[t]\nservice = \"nginx\"\n").faults,
              HasSubstr("must be load-balancer or cloudfront"));
  EXPECT_THAT(Read("[t]\ntags = {domain = \"x\"}\n").faults,
              HasSubstr("\"domain\" is set by certherd itself"));
  EXPECT_THAT(Read("[t]\ntags = {\"aws:x\" = \"x\"}\n").faults, HasSubstr("begin with aws:"));
  EXPECT_THAT(Read("[t]\ntags = {x = \"a*b\"}\n").faults, HasSubstr("\"x\": a key has"));
  EXPECT_THAT(Read("[t]\nelsewhere = true\n").faults, HasSubstr("elsewhere"));
}

}  // namespace
}  // namespace certherd::deploy
