#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/fqdn.hpp"
#include "model/identifiers.hpp"

// OpenSSL's own declarations, so that its headers stay in this room.
struct stack_st_X509;
struct x509_st;
struct x509_store_st;

namespace certherd::crypto {

/// What one certificate says. Names come from the SANs alone.
struct CertificateInfo {
  Serial serial;
  std::vector<std::string> names;  ///< DNS SANs, lower case, sorted
  std::string subject;             ///< one-line distinguished name
  std::string issuer;              ///< the issuer's commonName, else its distinguished name
  Time not_before;
  Time not_after;
  Fingerprint fingerprint;
  std::string public_key;  ///< DER SubjectPublicKeyInfo
  std::string ari_id;      ///< RFC 9773 section 4.1; empty without an authority key identifier
  bool is_ca = false;
};

/// A serial that somebody writes as a decimal number. Nothing when it is none, or too long to be
/// one (RFC 5280 section 4.1.2.2: at most 20 octets).
std::optional<Serial> serial_from_decimal(const std::string& text);

/// Reads a PEM chain, leaf first. Nothing but CERTIFICATE blocks may be in it (RFC 8555 section
/// 9.1); at most 16. Errors: rejected.
Result<std::vector<CertificateInfo>> read_chain(std::string_view pem);

/// Reads one DER certificate. Errors: rejected.
Result<CertificateInfo> read_certificate(std::string_view der);

/// A chain in the pieces that programs ask for.
struct ChainParts {
  std::string leaf;      ///< PEM
  std::string others;    ///< PEM of the certificates above it; empty when there are none
  std::string leaf_der;  ///< the leaf as a CA is told about it
};

/// Takes a PEM chain apart, leaf first. Errors: as read_chain().
Result<ChainParts> split_chain(std::string_view pem);

/// Holds what a CA handed out against what was asked: the leaf has `public_key`, exactly `names`,
/// is valid at `now` (up to an hour early is forgiven: clocks differ) and is no CA, and each
/// certificate is signed by the next. Errors: rejected, saying what differs; misconfigured when
/// only the dates are wrong, since then our clock may be.
Result<CertificateInfo> check_issued(std::string_view chain_pem, std::string_view public_key,
                                     const std::vector<Fqdn>& names, Time now);

/// The certificates that a TLS server sent, leaf first, as the handshake has read them: OpenSSL 3
/// takes longer to read one once more than for all that is then asked of it. Cheap to copy; may be
/// used on another thread than the handshake's, and outlives it.
class ServedChain {
 public:
  ServedChain() = default;
  /// Null is a chain of none.
  explicit ServedChain(const stack_st_X509* certificates);

  bool empty() const { return certificates_.empty(); }
  std::vector<CertificateInfo> describe() const;

 private:
  friend class TrustedRoots;
  std::vector<std::shared_ptr<x509_st>> certificates_;
};

/// The roots that served chains are judged by. Reading the system's takes tens of milliseconds, so
/// they are read once and kept. Cheap to copy; may be used on several threads at once.
class TrustedRoots {
 public:
  /// The system's roots (SSL_CERT_FILE and SSL_CERT_DIR are followed; none is no error) and those
  /// in `further_pem`. Blocks on the disk. Errors: rejected when `further_pem` does not parse.
  static Result<TrustedRoots> load(std::string_view further_pem);

  /// Judges a chain at `now`, for use as a TLS server. Dates of the leaf are left to the caller.
  /// Errors: rejected with OpenSSL's reason.
  Status judge(const ServedChain& chain, Time now) const;

 private:
  explicit TrustedRoots(std::shared_ptr<x509_store_st> store) : store_(std::move(store)) {}
  std::shared_ptr<x509_store_st> store_;  // shared by copies; constant once it is loaded
};

}  // namespace certherd::crypto
