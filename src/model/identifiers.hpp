#pragma once

#include <cstdint>

#include "base/strong.hpp"

namespace certherd {

using AccountUrl = Strong<struct AccountUrlTag>;  ///< the ACME `kid`
using OrderUrl = Strong<struct OrderUrlTag>;
using AuthorizationUrl = Strong<struct AuthorizationUrlTag>;
using ChallengeUrl = Strong<struct ChallengeUrlTag>;
using FinalizeUrl = Strong<struct FinalizeUrlTag>;
using CertificateUrl = Strong<struct CertificateUrlTag>;
using ZoneId = Strong<struct ZoneIdTag>;            ///< the DNS provider's own id of a zone
using TxtValue = Strong<struct TxtValueTag>;        ///< unquoted, at most 255 octets
using Ticket = Strong<struct TicketTag>;            ///< a DNS provider's handle on a sent batch
using Serial = Strong<struct SerialTag>;            ///< lower-case hex without separators
using Fingerprint = Strong<struct FingerprintTag>;  ///< SHA-256 of the leaf, lower-case hex

using KeyHash = Strong<struct KeyHashTag>;  ///< SHA-256 of a SubjectPublicKeyInfo, lower-case hex

/// Which configured section something is about: [ca.NAME], [dns.NAME], [vault.NAME], [target.NAME],
/// [notify.NAME].
using CaName = Strong<struct CaNameTag>;
using DnsName = Strong<struct DnsNameTag>;
using VaultName = Strong<struct VaultNameTag>;
using TargetName = Strong<struct TargetNameTag>;
using NotifierName = Strong<struct NotifierNameTag>;

/// Row numbers of the store; 0 before a row is written.
enum class DomainId : std::int64_t {};
enum class IssuanceId : std::int64_t {};
enum class AlarmId : std::int64_t {};
enum class NotificationId : std::int64_t {};

}  // namespace certherd
