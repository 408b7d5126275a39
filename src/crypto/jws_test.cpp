#include "crypto/jws.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include <boost/json.hpp>

#include "crypto/encoding.hpp"
#include "crypto/openssl.hpp"

namespace certherd::crypto {
namespace {

using ParameterBuilder = std::unique_ptr<OSSL_PARAM_BLD, Freed<OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Freed<OSSL_PARAM_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX_free>>;

BigNumber number(std::string_view base64url_text) {
  const std::string bytes = from_base64url(base64url_text).value();
  return BigNumber(BN_bin2bn(octets(bytes), static_cast<int>(bytes.size()), nullptr));
}

PrivateKey key_from(const char* algorithm, OSSL_PARAM_BLD* builder) {
  const Parameters parameters(OSSL_PARAM_BLD_to_param(builder));
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, algorithm, nullptr));
  EVP_PKEY* key = nullptr;
  ensure(EVP_PKEY_fromdata_init(context.get()) == 1 &&
             EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, parameters.get()) == 1,
         "make a key");
  return PrivateKey(key);
}

PrivateKey rsa_public(std::string_view modulus) {
  const ParameterBuilder builder(OSSL_PARAM_BLD_new());
  const BigNumber n = number(modulus);
  const BigNumber e = number("AQAB");
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get());
  return key_from("RSA", builder.get());
}

// RFC 7515 appendix A.3.
PrivateKey rfc7515_p256() {
  const ParameterBuilder builder(OSSL_PARAM_BLD_new());
  const BigNumber d = number("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI");
  const std::string point = "\x04" +
                            from_base64url("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU").value() +
                            from_base64url("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0").value();
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0);
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, d.get());
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                   point.size());
  return key_from("EC", builder.get());
}

// RFC 8037 appendix A.1.
PrivateKey rfc8037_ed25519() {
  const std::string seed = from_base64url("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").value();
  return PrivateKey(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, octets(seed), seed.size()));
}

std::string flattened(std::string_view header, std::string_view payload,
                      std::string_view signature) {
  return fmt::format(R"({{"protected":"{}","payload":"{}","signature":"{}"}})", header, payload,
                     signature);
}

constexpr std::string_view joe_payload =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
    "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

// RFC 7638 section 3.1.
TEST(JwkThumbprint, IsThatOfTheRfcForRsa) {
  const PrivateKey key = rsa_public(
      "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECP"
      "ebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY"
      "368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0f"
      "M4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw");
  EXPECT_EQ(jwk_thumbprint(key), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
  EXPECT_EQ(jws_algorithm(key), "RS256");

  // RFC 8555 section 8.4: the TXT value is the hash of token and thumbprint.
  const std::string token = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA";
  EXPECT_EQ(base64url(sha256(token + "." + jwk_thumbprint(key))),
            "ZTRx1Ckl1-tM05o5zaizTTA0yUy5AGereMgSNWC6Ll8");
}

// RFC 8037 appendix A.3.
TEST(JwkThumbprint, IsThatOfTheRfcForEd25519) {
  EXPECT_EQ(jwk(rfc8037_ed25519()),
            R"({"crv":"Ed25519","kty":"OKP","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})");
  EXPECT_EQ(jwk_thumbprint(rfc8037_ed25519()), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

TEST(Jwk, WritesBothCoordinatesOfAPoint) {
  EXPECT_EQ(jwk(rfc7515_p256()),
            R"({"crv":"P-256","kty":"EC","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
            R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})");
}

// RFC 7518 section 6.2.1.2: leading zeros stay. One key in about a hundred has one.
TEST(Jwk, CoordinatesHaveTheFullWidth) {
  for (const auto type : {KeyType::ecdsa_p256, KeyType::ecdsa_p384}) {
    const std::size_t size = type == KeyType::ecdsa_p256 ? 32 : 48;
    for (int i = 0; i < 300; ++i) {
      const auto object = boost::json::parse(jwk(PrivateKey::generate(type).value()));
      EXPECT_EQ(from_base64url(object.at("x").as_string()).value().size(), size);
      EXPECT_EQ(from_base64url(object.at("y").as_string()).value().size(), size);
    }
  }
}

// RFC 8037 appendix A.4: Ed25519 signs the same every time.
TEST(SignJws, SignsAsTheRfcForEd25519) {
  EXPECT_EQ(sign_jws(rfc8037_ed25519(), R"({"alg":"EdDSA"})", "Example of Ed25519 signing"),
            flattened("eyJhbGciOiJFZERTQSJ9", "RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
                      "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt"
                      "9g7sVvpAr_MuM0KAg"));
}

// RFC 7515 appendices A.2 and A.3.
TEST(VerifyJws, AcceptsTheSignaturesOfTheRfc) {
  EXPECT_TRUE(verify_jws(
      rfc7515_p256(),
      flattened("eyJhbGciOiJFUzI1NiJ9", joe_payload,
                "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-"
                "Kg6NU1Q")));
  const PrivateKey rsa = rsa_public(
      "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4"
      "d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5re"
      "xMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxX"
      "FvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ");
  EXPECT_TRUE(verify_jws(
      rsa, flattened("eyJhbGciOiJSUzI1NiJ9", joe_payload,
                     "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc"
                     "_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWz"
                     "O75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-"
                     "eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIh"
                     "WkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw")));
}

// RFC 7515 appendix A.1, whose header has line breaks that JSON parsers drop.
TEST(SignJws, SignsAsTheRfcForASharedSecret) {
  const Secret<std::string> key(
      from_base64url("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjA"
                     "zZr1Z9CAow")
          .value());
  EXPECT_EQ(sign_jws_hs256(key, "{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}",
                           from_base64url(joe_payload).value()),
            flattened("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9", joe_payload,
                      "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
}

TEST(SignJws, EveryKindOfKeySignsWhatItVerifies) {
  for (const auto type :
       {KeyType::ecdsa_p256, KeyType::ecdsa_p384, KeyType::rsa_2048, KeyType::ed25519}) {
    const PrivateKey key = PrivateKey::generate(type).value();
    const std::string header = fmt::format(R"({{"alg":"{}"}})", jws_algorithm(key));
    const auto jws = sign_jws(key, header, "{}");
    ASSERT_TRUE(jws) << to_string(type);
    EXPECT_TRUE(verify_jws(key, *jws)) << to_string(type);
    EXPECT_FALSE(verify_jws(PrivateKey::generate(type).value(), *jws)) << to_string(type);
  }
}

TEST(SignJws, EllipticSignaturesHaveTheFullWidth) {
  const PrivateKey key = PrivateKey::generate(KeyType::ecdsa_p384).value();
  for (int i = 0; i < 300; ++i) {
    const auto jws = sign_jws(key, R"({"alg":"ES384"})", "");
    const auto object = boost::json::parse(jws.value());
    EXPECT_EQ(from_base64url(object.at("signature").as_string()).value().size(), 96U);
    EXPECT_TRUE(verify_jws(key, *jws));
  }
}

TEST(SignJws, AnEmptyPayloadStaysEmpty) {
  const auto object =
      boost::json::parse(sign_jws(rfc7515_p256(), R"({"alg":"ES256"})", "").value());
  EXPECT_EQ(object.at("payload").as_string(), "");
  EXPECT_EQ(object.as_object().size(), 3U);
}

TEST(SignJws, RefusesAKeyThatCannotSign) {
  const PrivateKey half = rsa_public(base64url(std::string(256, '\xff')));
  const auto jws = sign_jws(half, "{}", "");
  ASSERT_FALSE(jws);
  EXPECT_EQ(jws.error().kind, Error::Kind::rejected);
}

TEST(VerifyJws, RefusesWhatIsNotSignedLikeThis) {
  const PrivateKey key = rfc7515_p256();
  const std::string header = base64url(R"({"alg":"ES256"})");
  const std::string zeros = base64url(std::string(64, '\0'));
  const auto good = boost::json::parse(sign_jws(key, R"({"alg":"ES256"})", "x").value());
  const std::string signature(good.at("signature").as_string());
  for (const std::string& text : {
           std::string(),
           std::string("{}"),
           std::string("[1]"),
           std::string("\"x\""),
           flattened(header, base64url("x"), ""),
           flattened(header, base64url("x"), zeros),
           flattened(header, base64url("x"), signature + "AA"),
           flattened(header, base64url("y"), signature),
           flattened(header, base64url("x"), "!"),
           flattened("!", base64url("x"), signature),
           flattened(base64url(R"({"alg":"none"})"), base64url("x"), signature),
           flattened(base64url(R"({"alg":"RS256"})"), base64url("x"), signature),
           flattened(base64url("no json"), base64url("x"), signature),
       }) {
    const auto verified = verify_jws(key, text);
    ASSERT_FALSE(verified) << text;
    EXPECT_EQ(verified.error().kind, Error::Kind::rejected);
  }
  EXPECT_TRUE(verify_jws(key, flattened(header, base64url("x"), signature)));
}

}  // namespace
}  // namespace certherd::crypto
