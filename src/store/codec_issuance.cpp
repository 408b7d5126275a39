#include "store/codec_issuance.hpp"

#include "store/codec_certificate_members.hpp"
#include "store/codec_error_members.hpp"

namespace certherd::store {

template <>
struct codec::Members<PendingChallenge> {
  static void each(auto& object, auto&& visit) {
    visit("authorization", object.authorization);
    visit("url", object.url);
    visit("identifier", object.identifier);
    visit("record", object.record);
    visit("zone_name", object.zone_name);
    visit("zone_id", object.zone_id);
    visit("value", object.value);
    visit("ticket", object.ticket);
  }
};

// Without what has a column of its own.
template <>
struct codec::Members<Issuance> {
  static void each(auto& object, auto&& visit) {
    visit("names", object.names);
    visit("ca", object.ca);
    visit("attempts", object.attempts);
    visit("polls", object.polls);
    visit("step_deadline", object.step_deadline);
    visit("last_error", object.last_error);
    visit("sealed_key", object.sealed_key);
    visit("csr", object.csr);
    visit("order_unsure", object.order_unsure);
    visit("finalize_url", object.finalize_url);
    visit("authorizations", object.authorizations);
    visit("challenges", object.challenges);
    visit("certificate_url", object.certificate_url);
    visit("fullchain", object.fullchain);
    visit("certificate", object.certificate);
    visit(later("key_type"), object.key_type);
    visit(later("profile"), object.profile);
  }
};

std::string encode_body(const Issuance& issuance) { return codec::to_text(issuance); }

Status decode_body(std::string_view text, Issuance& issuance) {
  codec::Document document;
  auto json = codec::parse(text, document);
  if (!json) return fail(std::move(json.error()));
  codec::Fault fault;
  if (!codec::Codec<Issuance>::decode(*json, issuance, fault)) {
    return fail(Error::Kind::rejected, "", std::move(fault.text));
  }
  if (issuance.certificate) {
    issuance.certificate->domain_id = issuance.domain_id;
    issuance.certificate->domain = issuance.domain;
  }
  return {};
}

}  // namespace certherd::store
