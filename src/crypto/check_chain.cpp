// Judging a chain: against what was asked of the CA, and against the roots we trust.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <string>

#include "crypto/certificate_chain.hpp"
#include "crypto/openssl.hpp"
#include "crypto/x509.hpp"

namespace certherd::crypto {
namespace {

using namespace std::chrono_literals;

/// How far our clock may be behind the CA's.
constexpr Duration forgiven_earliness = 1h;

tl::unexpected<Error> not_as_asked(std::string detail) {
  return fail(Error::Kind::rejected, "check certificate", std::move(detail));
}

tl::unexpected<Error> wrong_date(const std::string& what, Time now) {
  return fail(Error::Kind::misconfigured, "check certificate",
              fmt::format("it {}, and the clock of this machine says {}: set it if that is wrong",
                          what, format_time(now)));
}

std::vector<std::string> without(const std::set<std::string>& all,
                                 const std::set<std::string>& taken) {
  std::vector<std::string> rest;
  std::ranges::set_difference(all, taken, std::back_inserter(rest));
  return rest;
}

Status check_names(const std::vector<std::string>& found, std::size_t all_kinds,
                   const std::vector<Fqdn>& names) {
  std::set<std::string> asked;
  for (const Fqdn& name : names) asked.insert(name.text());
  const std::set<std::string> held(found.begin(), found.end());

  if (const auto missing = without(asked, held); !missing.empty()) {
    return not_as_asked(fmt::format("it lacks {}", fmt::join(missing, ", ")));
  }
  if (const auto extra = without(held, asked); !extra.empty()) {
    return not_as_asked(fmt::format("it names {} too", fmt::join(extra, ", ")));
  }
  if (all_kinds != found.size()) {
    return not_as_asked("it names something that is no host name too");
  }
  return {};
}

Status check_signatures(const std::vector<CertificateHandle>& chain) {
  for (std::size_t i = 0; i + 1 < chain.size(); ++i) {
    X509* const child = chain[i].get();
    X509* const parent = chain[i + 1].get();
    const bool named =
        X509_NAME_cmp(X509_get_issuer_name(child), X509_get_subject_name(parent)) == 0;
    EVP_PKEY* const key = X509_get0_pubkey(parent);
    if (!named || key == nullptr || X509_verify(child, key) != 1) {
      take_reason();
      return not_as_asked(
          fmt::format("certificate {} of the chain is not signed by the next one", i + 1));
    }
  }
  return {};
}

/// Dates of the leaf are judged by the caller, who has better words for them.
int forgive_dates_of_leaf(int good, X509_STORE_CTX* context) {
  if (good == 1) return 1;
  const int error = X509_STORE_CTX_get_error(context);
  const bool date = error == X509_V_ERR_CERT_HAS_EXPIRED || error == X509_V_ERR_CERT_NOT_YET_VALID;
  if (!date || X509_STORE_CTX_get_error_depth(context) != 0) return 0;
  X509_STORE_CTX_set_error(context, X509_V_OK);
  return 1;
}

tl::unexpected<Error> untrusted(std::string detail) {
  return fail(Error::Kind::rejected, "verify chain", std::move(detail));
}

}  // namespace

Result<CertificateInfo> check_issued(std::string_view chain_pem, std::string_view public_key,
                                     const std::vector<Fqdn>& names, Time now) {
  auto chain = parse_chain(chain_pem);
  if (!chain) return fail(std::move(chain.error()));
  X509* const leaf = chain->front().get();
  CertificateInfo info = describe(leaf);

  if (info.public_key != public_key) return not_as_asked("it is for another key than ours");
  const Names all = alternative_names(leaf);
  const auto all_kinds = static_cast<std::size_t>(std::max(0, sk_GENERAL_NAME_num(all.get())));
  if (auto same = check_names(info.names, all_kinds, names); !same) return fail(same.error());
  if (info.is_ca) return not_as_asked("it is a CA's certificate");
  if (auto signatures = check_signatures(*chain); !signatures) return fail(signatures.error());
  // Last, since it may as well be our clock that is wrong.
  if (info.not_before > now + forgiven_earliness) {
    return wrong_date("is not valid before " + format_time(info.not_before), now);
  }
  if (info.not_after <= now) return wrong_date("expired at " + format_time(info.not_after), now);
  return info;
}

Result<TrustedRoots> TrustedRoots::load(std::string_view further_pem) {
  std::shared_ptr<X509_STORE> store(X509_STORE_new(), X509_STORE_free);
  ensure(store != nullptr, "read trusted roots");
  X509_STORE_set_default_paths(store.get());
  if (!further_pem.empty()) {
    auto roots = parse_chain(further_pem);
    if (!roots) return fail(std::move(roots.error()).during("read further roots"));
    for (const auto& root : *roots) {
      ensure(X509_STORE_add_cert(store.get(), root.get()) == 1, "read trusted roots");
    }
  }
  return TrustedRoots(std::move(store));
}

Status TrustedRoots::judge(const ServedChain& chain, Time now) const {
  const auto& certificates = chain.certificates_;
  const CertificateStack others(sk_X509_new_null());
  const StoreContext context(X509_STORE_CTX_new());
  ensure(others != nullptr && context != nullptr, "verify chain");

  if (certificates.empty()) return untrusted("the server sent no certificate");
  for (std::size_t i = 1; i < certificates.size(); ++i) {
    ensure(sk_X509_push(others.get(), certificates[i].get()) > 0, "verify chain");
  }

  ensure(X509_STORE_CTX_init(context.get(), store_.get(), certificates.front().get(),
                             others.get()) == 1 &&
             X509_STORE_CTX_set_default(context.get(), "ssl_server") == 1,
         "verify chain");
  X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(context.get()),
                             std::chrono::system_clock::to_time_t(now));
  X509_STORE_CTX_set_verify_cb(context.get(), &forgive_dates_of_leaf);
  const bool trusted = X509_verify_cert(context.get()) == 1;
  take_reason();
  if (!trusted) {
    return untrusted(X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get())));
  }
  return {};
}

}  // namespace certherd::crypto
