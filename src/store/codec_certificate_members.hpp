#pragma once

#include <optional>
#include <string_view>

#include "model/certificate.hpp"
#include "store/codec.hpp"

namespace certherd::store::codec {

std::string_view installed_name(Installed installed);
std::optional<Installed> parse_installed(std::string_view text);

template <>
struct Codec<Installed> : NamedCodec<Installed, installed_name, parse_installed> {};

template <>
struct Codec<RevocationReason> : NamedCodec<RevocationReason, to_string, parse_revocation_reason> {
};

template <>
struct Codec<KeyType> : NamedCodec<KeyType, to_string, parse_key_type> {};

template <>
struct Members<RenewalWindow> {
  static void each(auto& object, auto&& visit) {
    visit("start", object.start);
    visit("end", object.end);
    visit("explanation_url", object.explanation_url);
  }
};

template <>
struct Members<Renewal> {
  static void each(auto& object, auto&& visit) {
    visit("window", object.window);
    visit("at", object.at);
    visit("poll_at", object.poll_at);
    visit("failures", object.failures);
  }
};

template <>
struct Members<VaultReferences> {
  static void each(auto& object, auto&& visit) {
    visit("csr", object.csr);
    visit("private_key", object.private_key);
    visit("fullchain", object.fullchain);
  }
};

// Without domain_id and domain: the row around it names them; renewal has a row of its own.
template <>
struct Members<Certificate> {
  static void each(auto& object, auto&& visit) {
    visit("serial", object.serial);
    visit("names", object.names);
    visit("issuer", object.issuer);
    visit("not_before", object.not_before);
    visit("not_after", object.not_after);
    visit("fingerprint", object.fingerprint);
    visit("ari_id", object.ari_id);
    visit("vault_name", object.vault_name);
    visit("vault", object.vault);
    visit("targets", object.targets);
    visit("served", object.served);
    visit(later("ca"), object.ca);
    visit(later("revocation_reason"), object.revocation_reason);
    visit(later("revoked_at"), object.revoked_at);
    visit(later("profile"), object.profile);
    visit(later("key_type"), object.key_type);
    visit(later("issued_in"), object.issued_in);
    visit(later("install_by"), object.install_by);
  }
};

}  // namespace certherd::store::codec
