#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "store/codec_certificate.hpp"
#include "store/codec_error.hpp"
#include "store/codec_issuance.hpp"
#include "store/codec_lists.hpp"

namespace certherd::store {
namespace {

using testing::HasSubstr;

Time at(std::int64_t micros) { return from_micros(micros); }

Error full_error() {
  auto problem = std::make_shared<Problem>();
  problem->type = "urn:ietf:params:acme:error:rateLimited";
  problem->title = "Slow down";
  problem->detail = "too many \"certificates\"\n\x01 \xff";
  problem->status = 429;
  problem->instance = "https://ca.example/1";
  problem->subproblems = {{.type = "t", .detail = "d", .identifier = "a.example"}};
  Error error;
  error.kind = Error::Kind::throttled;
  error.op = "new_order: POST https://ca.example";
  error.detail = "wait";
  error.retry_at = at(1'700'000'000'123'456);
  error.problem = problem;
  error.causes = {Error(), Error()};
  error.causes[1].kind = Error::Kind::deadline;
  error.causes[1].causes = {Error()};
  return error;
}

Certificate full_certificate() {
  Certificate certificate;
  certificate.serial = Serial("0a");
  certificate.names = {Fqdn::literal("a.example"), Fqdn::literal("*.a.example")};
  certificate.issuer = "CA";
  certificate.not_before = at(-5);
  certificate.not_after = at(9'000'000'000'000'000);
  certificate.fingerprint = Fingerprint("ff");
  certificate.ari_id = "a.b";
  certificate.vault_name = VaultName("v");
  certificate.vault = {.csr = "1", .private_key = "2", .fullchain = "3"};
  certificate.targets = {{TargetName("x"), Installed::installed},
                         {TargetName("y"), Installed::unchanged},
                         {TargetName("z"), Installed::failed}};
  certificate.served = false;
  certificate.ca = CaName("letsencrypt");
  certificate.revoked_at = at(8'000'000'000'000'000);
  certificate.revocation_reason = RevocationReason::key_compromise;
  certificate.profile = "tlsserver";
  certificate.key_type = KeyType::rsa_3072;
  certificate.issued_in = std::chrono::seconds(90);
  certificate.install_by = from_micros(1'790'000'000'000'000);
  return certificate;
}

TEST(ErrorCodec, KeepsEveryMember) {
  const auto error = full_error();

  auto decoded = decode_error(encode_error(error));

  ASSERT_TRUE(decoded) << decoded.error().message();
  EXPECT_EQ(*decoded, error);
}

TEST(ErrorCodec, KeepsEveryKind) {
  for (const auto kind : {Error::Kind::transient, Error::Kind::throttled, Error::Kind::denied,
                          Error::Kind::not_found, Error::Kind::conflict, Error::Kind::rejected,
                          Error::Kind::misconfigured, Error::Kind::deadline}) {
    Error error;
    error.kind = kind;
    auto decoded = decode_error(encode_error(error));
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->kind, kind);
  }
}

TEST(ErrorCodec, ReadsMembersInAnyOrder) {
  const auto decoded = decode_error(
      R"({"causes":[],"detail":"d","kind":"denied","problem":null,"op":"o","retry_at":7})");

  ASSERT_TRUE(decoded) << decoded.error().message();
  EXPECT_EQ(decoded->kind, Error::Kind::denied);
  EXPECT_EQ(decoded->op, "o");
  EXPECT_EQ(decoded->detail, "d");
  EXPECT_EQ(decoded->retry_at, at(7));
}

TEST(ErrorCodec, ReadsBackDeepCauses) {
  Error error;
  for (int depth = 0; depth < 100; ++depth) {
    Error outer;
    outer.causes.push_back(std::move(error));
    error = std::move(outer);
  }

  auto decoded = decode_error(encode_error(error));

  ASSERT_TRUE(decoded) << decoded.error().message();
  EXPECT_EQ(*decoded, error);
}

TEST(ErrorCodec, SaysWhereATextIsWrong) {
  const auto reason = [](std::string_view text) {
    auto decoded = decode_error(text);
    EXPECT_FALSE(decoded) << text;
    if (decoded) return std::string();
    EXPECT_EQ(decoded.error().kind, Error::Kind::rejected);
    return decoded.error().detail;
  };
  EXPECT_THAT(reason(""), HasSubstr("no JSON"));
  EXPECT_THAT(reason("{} x"), HasSubstr("no JSON"));
  EXPECT_THAT(reason("[]"), HasSubstr("no object"));
  EXPECT_THAT(reason("{}"), HasSubstr("kind: is missing"));
  const auto with = [&reason](std::string_view kind, std::string_view retry_at,
                              std::string_view causes) {
    return reason(fmt::format(
        R"({{"kind":"{}","op":"","detail":"","retry_at":{},"problem":null,"causes":{}}})", kind,
        retry_at, causes));
  };
  EXPECT_THAT(with("odd", "null", "[]"), HasSubstr("kind.value: is no known name"));
  EXPECT_THAT(with("denied", "1.5", "[]"), HasSubstr("retry_at.value: is no whole number"));
  EXPECT_THAT(with("denied", "null", "[7]"), HasSubstr("causes[0].value: is no object"));
  EXPECT_THAT(with("denied", "null", "[],\"x\":1"), HasSubstr("unknown members"));
  EXPECT_FALSE(decode_error(std::string(100'000, '[')));
}

TEST(CertificateCodec, KeepsEveryMemberButTheDomain) {
  const auto certificate = full_certificate();

  auto decoded = decode_certificate(encode_certificate(certificate));

  ASSERT_TRUE(decoded) << decoded.error().message();
  EXPECT_EQ(decoded->serial, certificate.serial);
  EXPECT_EQ(decoded->names, certificate.names);
  EXPECT_EQ(decoded->issuer, certificate.issuer);
  EXPECT_EQ(decoded->not_before, certificate.not_before);
  EXPECT_EQ(decoded->not_after, certificate.not_after);
  EXPECT_EQ(decoded->fingerprint, certificate.fingerprint);
  EXPECT_EQ(decoded->ari_id, certificate.ari_id);
  EXPECT_EQ(decoded->vault_name, certificate.vault_name);
  EXPECT_EQ(decoded->vault, certificate.vault);
  EXPECT_EQ(decoded->targets, certificate.targets);
  EXPECT_EQ(decoded->served, certificate.served);
  EXPECT_EQ(decoded->ca, certificate.ca);
  EXPECT_EQ(decoded->revoked_at, certificate.revoked_at);
  EXPECT_EQ(decoded->revocation_reason, certificate.revocation_reason);
  EXPECT_EQ(decoded->profile, certificate.profile);
  EXPECT_EQ(decoded->key_type, certificate.key_type);
  EXPECT_EQ(decoded->issued_in, certificate.issued_in);
  EXPECT_EQ(decoded->install_by, certificate.install_by);
}

TEST(CertificateCodec, ReadsRowsFromBeforeSomeMembersWereAdded) {
  auto text = encode_certificate(full_certificate());
  text.replace(text.find(",\"ca\""), std::string::npos, "}");

  auto decoded = decode_certificate(text);

  ASSERT_TRUE(decoded) << decoded.error().message();
  EXPECT_EQ(decoded->served, false);
  EXPECT_TRUE(decoded->ca.empty());
  EXPECT_EQ(decoded->revoked_at, std::nullopt);
  EXPECT_EQ(decoded->revocation_reason, std::nullopt);
  text.replace(text.find("\"serial\":"), 9, "\"others\":");
  EXPECT_FALSE(decode_certificate(text));
}

TEST(CertificateCodec, RefusesANameThatIsNotInItsStoredForm) {
  auto text = encode_certificate(full_certificate());
  text.replace(text.find("\"a.example\""), 11, "\"A.example\"");

  auto decoded = decode_certificate(text);

  ASSERT_FALSE(decoded);
  EXPECT_THAT(decoded.error().detail, HasSubstr("names[0].value: is not in its stored form"));
}

TEST(IssuanceCodec, KeepsEveryMemberWithoutAColumn) {
  Issuance issuance;
  issuance.domain_id = DomainId{4};
  issuance.domain = Fqdn::literal("a.example");
  issuance.names = {Fqdn::literal("a.example")};
  issuance.ca = CaName("ca");
  issuance.attempts = 3;
  issuance.polls = 7;
  issuance.step_deadline = at(77);
  issuance.last_error = full_error();
  issuance.sealed_key = "sealed";
  issuance.csr = "csr";
  issuance.order_unsure = true;
  issuance.finalize_url = FinalizeUrl("https://ca/f");
  issuance.authorizations = {AuthorizationUrl("https://ca/a")};
  issuance.challenges = {{.authorization = AuthorizationUrl("https://ca/a"),
                          .url = ChallengeUrl("https://ca/c"),
                          .identifier = Fqdn::literal("a.example"),
                          .record = Fqdn::literal("_acme-challenge.a.example"),
                          .zone_name = Fqdn(),
                          .zone_id = ZoneId("Z1"),
                          .value = TxtValue("v"),
                          .ticket = Ticket("t")}};
  issuance.certificate_url = CertificateUrl("https://ca/x");
  issuance.fullchain = "-----BEGIN";
  issuance.certificate = full_certificate();

  Issuance decoded;
  decoded.domain_id = issuance.domain_id;
  decoded.domain = issuance.domain;
  auto status = decode_body(encode_body(issuance), decoded);

  ASSERT_TRUE(status) << status.error().message();
  EXPECT_EQ(decoded.names, issuance.names);
  EXPECT_EQ(decoded.ca, issuance.ca);
  EXPECT_EQ(decoded.attempts, 3);
  EXPECT_EQ(decoded.polls, 7);
  EXPECT_EQ(decoded.step_deadline, issuance.step_deadline);
  EXPECT_EQ(decoded.last_error, issuance.last_error);
  EXPECT_EQ(decoded.sealed_key, "sealed");
  EXPECT_EQ(decoded.csr, "csr");
  EXPECT_TRUE(decoded.order_unsure);
  EXPECT_EQ(decoded.finalize_url, issuance.finalize_url);
  EXPECT_EQ(decoded.authorizations, issuance.authorizations);
  EXPECT_EQ(decoded.challenges, issuance.challenges);
  EXPECT_EQ(decoded.certificate_url, issuance.certificate_url);
  EXPECT_EQ(decoded.fullchain, issuance.fullchain);
  ASSERT_TRUE(decoded.certificate);
  EXPECT_EQ(decoded.certificate->serial, Serial("0a"));
  EXPECT_EQ(decoded.certificate->domain_id, DomainId{4});
  EXPECT_EQ(decoded.certificate->domain, issuance.domain);
}

TEST(IssuanceCodec, RefusesANumberThatDoesNotFit) {
  auto text = encode_body(Issuance());
  text.replace(text.find("\"attempts\":0"), 12, "\"attempts\":5000000000");

  Issuance decoded;
  auto status = decode_body(text, decoded);

  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().detail, HasSubstr("attempts.value: is too large"));
}

TEST(ListCodecs, ReadBackWhatTheyWrote) {
  const std::vector<Fqdn> names = {Fqdn::literal("b.example"), Fqdn::literal("a.example")};
  EXPECT_EQ(decode_names(encode_names(names)).value(), names);

  const std::vector<TargetName> targets = {TargetName("edge"), TargetName("a \"quoted\" one")};
  EXPECT_EQ(decode_targets(encode_targets(targets)).value(), targets);

  const std::vector<Endpoint> endpoints = {
      {.host = Fqdn::literal("a.example"), .port = 8443, .address = "192.0.2.1"}};
  EXPECT_EQ(decode_endpoints(encode_endpoints(endpoints)).value(), endpoints);

  const std::vector<std::string> texts = {"", "mailto:a@example.com", std::string("\0", 1)};
  EXPECT_EQ(decode_texts(encode_texts(texts)).value(), texts);

  const std::map<std::string, std::string> map = {{"", "x"}, {"team", "web \xc3\xbc"}};
  EXPECT_EQ(decode_map(encode_map(map)).value(), map);
}

TEST(ListCodecs, RefuseOtherShapes) {
  EXPECT_FALSE(decode_names("{}"));
  EXPECT_FALSE(decode_names("[1]"));
  EXPECT_FALSE(decode_names("[\"not a name\"]"));
  EXPECT_FALSE(decode_endpoints("[\"a.example:0x\"]"));
  EXPECT_FALSE(decode_map("[]"));
  EXPECT_FALSE(decode_map("{\"a\":1}"));
  EXPECT_FALSE(decode_name("A.Example"));
  EXPECT_TRUE(decode_name("")->empty());
}

}  // namespace
}  // namespace certherd::store
