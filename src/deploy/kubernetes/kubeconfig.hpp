#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "deploy/kubernetes/credentials.hpp"
#include "deploy/kubernetes/exec_credentials.hpp"

namespace certherd::deploy::kubernetes {

/// Which cluster to call, and as whom.
struct Cluster {
  std::string server;      ///< https://HOST[:PORT][/PATH]
  std::string trust_pem;   ///< of its CA; empty: the system's roots alone
  std::string namespace_;  ///< that was named with it; empty: none
  /// Reads the credential anew each time; may block. Not set where `exec` gives it.
  std::function<Result<Credential>()> read;
  std::optional<ExecPlugin> exec;
};

/// Reads one context of a kubeconfig file (Kubernetes documentation, "kubeconfig (v1)"), the
/// current one by default. Relative paths in it are relative to its folder. Files that hold
/// credentials are read later. What would make calls less safe, and what we cannot do, is refused:
/// errors are misconfigured and say what to do instead. Blocks on the disk.
Result<Cluster> read_kubeconfig(const std::filesystem::path& file, const std::string& context);

/// A file of at most 1 MiB. Blocks on the disk. Errors: misconfigured, denied.
Result<std::string> read_small_file(const std::filesystem::path& file);
/// A file with nothing but a token in it; the same.
Result<Credential> read_token_file(const std::filesystem::path& file);

}  // namespace certherd::deploy::kubernetes
