#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "model/fqdn.hpp"

namespace certherd::deploy::kubernetes {

/// By this label and this annotation a Secret is ours to change.
inline constexpr std::string_view managed_by_label = "app.kubernetes.io/managed-by";
inline constexpr std::string_view managed_by_value = "certherd";
inline constexpr std::string_view domain_annotation = "certherd/domain";
inline constexpr std::string_view serial_annotation = "certherd/serial";

/// The Secret's name for a domain: "{domain}" in the pattern stands for it, with `wildcard.` in
/// the place of a leading `*.`. Errors: misconfigured when that is no name for an object.
Result<std::string> secret_name(std::string_view pattern, const Fqdn& domain);

/// Whether a namespace may be called so (RFC 1123 label). Errors: misconfigured.
Status check_namespace(std::string_view name);

/// Whether these may be labels beside ours (Kubernetes documentation, "Labels and Selectors").
/// Errors: misconfigured.
Status check_labels(const std::map<std::string, std::string>& labels);

}  // namespace certherd::deploy::kubernetes
