#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "deploy/kubernetes/credentials.hpp"
#include "runtime/process.hpp"

namespace certherd::deploy::kubernetes {

/// A program that prints credentials (Kubernetes documentation, "client-go credential plugins").
struct ExecPlugin {
  std::string api_version;             ///< "client.authentication.k8s.io/v1" or "…/v1beta1"
  std::vector<std::string> arguments;  ///< the program and its arguments
  std::map<std::string, std::string> environment;
  std::string install_hint;        ///< told when the program cannot be started
  std::string server;              ///< told to the program; empty: it is not to know
  std::string authority_pem;       ///< with that
  std::set<std::string> withheld;  ///< variables of our environment that it does not get
};

/// How a command is run: runtime::run_command() on the loop, or a double of it.
using RunCommand =
    std::function<Task<Result<runtime::CommandResult>>(runtime::Command command, Time deadline)>;

/// Runs the program for each credential.
std::unique_ptr<CredentialSource> make_exec_credentials(runtime::EventLoop& loop, RunCommand run,
                                                        ExecPlugin plugin);

}  // namespace certherd::deploy::kubernetes
