#include "deploy/kubernetes/kubeconfig.hpp"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "base/versioned_folder.hpp"
#include "crypto/encoding.hpp"
#include "http/url.hpp"

namespace certherd::deploy::kubernetes {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t file_limit = 1U << 20U;

struct Refusal {
  std::string_view key;
  std::string_view words;
};

constexpr std::array cluster_refusals = {
    Refusal{"insecure-skip-tls-verify",
            "whoever answers would get private keys: name the cluster's CA by "
            "certificate-authority instead"},
    Refusal{"tls-server-name",
            "this is not supported: let `server` have a name that is on its certificate"},
    Refusal{"proxy-url", "this is not supported: set HTTPS_PROXY for certherd instead"},
};
constexpr std::array user_refusals = {
    Refusal{"username", "Kubernetes takes no passwords any more: use a token or exec"},
    Refusal{"password", "Kubernetes takes no passwords any more: use a token or exec"},
    Refusal{"auth-provider", "Kubernetes has dropped these: use exec instead"},
    Refusal{"as", "this is not supported: give certherd an account of its own"},
    Refusal{"as-uid", "this is not supported: give certherd an account of its own"},
    Refusal{"as-groups", "this is not supported: give certherd an account of its own"},
    Refusal{"as-user-extra", "this is not supported: give certherd an account of its own"},
};

/// What is wrong, on its way out of the reading.
struct Wrong {
  std::string key;
  std::string words;
};

/// A mapping of the file by its place in it. Getters throw Wrong, and what yaml-cpp throws.
class Entry {
 public:
  Entry(const YAML::Node& node, std::string place) : node_(node), place_(std::move(place)) {
    if (node_.IsDefined() && !node_.IsNull() && !node_.IsMap()) {
      throw Wrong{place_, "this must be a mapping"};
    }
  }

  bool has(std::string_view key) const {
    const auto value = get(key);
    return value && !value.IsNull();
  }
  /// Empty when it is not there.
  std::string text(std::string_view key) const {
    if (!has(key)) return {};
    const auto value = get(key);
    if (!value.IsScalar()) throw Wrong{place(key), "this must be a text"};
    return value.Scalar();
  }
  bool flag(std::string_view key) const { return has(key) && get(key).as<bool>(); }
  /// Its base64, decoded; empty when it is not there.
  std::string data(std::string_view key) const {
    auto encoded = text(key);
    std::erase_if(encoded, [](char c) { return c == '\n' || c == '\r' || c == ' '; });
    auto decoded = crypto::from_base64(encoded);
    if (!decoded) throw Wrong{place(key), "this must be base64"};
    return std::move(*decoded);
  }
  Entry entry(std::string_view key) const {
    return {has(key) ? get(key) : YAML::Node(), place(key)};
  }
  std::vector<YAML::Node> list(std::string_view key) const {
    if (!has(key)) return {};
    const auto value = get(key);
    if (!value.IsSequence()) throw Wrong{place(key), "this must be a list"};
    return {value.begin(), value.end()};
  }

  std::string place(std::string_view key) const {
    return place_.empty() ? std::string(key) : fmt::format("{}.{}", place_, key);
  }

  template <std::size_t Count>
  void refuse(const std::array<Refusal, Count>& refusals) const {
    for (const auto& [key, words] : refusals) {
      const bool harmless = key == "insecure-skip-tls-verify" && !flag(key);
      if (has(key) && !harmless) throw Wrong{place(key), std::string(words)};
    }
  }

 private:
  YAML::Node get(std::string_view key) const {
    // Asking a constant node adds nothing to it.
    return node_.IsMap() ? std::as_const(node_)[std::string(key)] : YAML::Node();
  }

  YAML::Node node_;
  std::string place_;
};

/// The entry `name` of the lists clusters, contexts and users.
Entry named(const Entry& root, const std::string& list, const std::string& kind,
            const std::string& name) {
  for (const auto& node : root.list(list)) {
    const Entry item(node, list);
    if (item.text("name") == name) return item.entry(kind);
  }
  throw Wrong{list, fmt::format("there is no {} \"{}\"", kind, name)};
}

fs::path path_of(const Entry& entry, std::string_view key, const fs::path& folder) {
  const auto path = entry.text(key);
  return path.empty() ? fs::path() : (folder / path).lexically_normal();
}

/// What a user's entry gives, partly still in files.
struct User {
  Secret<std::string> token;
  fs::path token_file;
  std::string certificate_pem;
  fs::path certificate_file;
  Secret<std::string> key_pem;
  fs::path key_file;

  Result<Credential> read() const {
    Credential credential{
        .token = token, .certificate_pem = certificate_pem, .key_pem = key_pem, .good_until = {}};
    if (!token_file.empty()) {
      auto read = read_token_file(token_file);
      if (!read) return read;
      credential.token = std::move(read->token);
    }
    if (certificate_pem.empty() && !certificate_file.empty()) {
      auto text = read_small_file(certificate_file);
      if (!text) return fail(std::move(text.error()));
      credential.certificate_pem = std::move(*text);
    }
    if (key_pem.empty() && !key_file.empty()) {
      auto text = read_small_file(key_file);
      if (!text) return fail(std::move(text.error()));
      credential.key_pem = Secret<std::string>(std::move(*text));
    }
    return credential;
  }
};

ExecPlugin exec_in(const Entry& exec, const fs::path& folder) {
  ExecPlugin plugin;
  plugin.api_version = exec.text("apiVersion");
  if (plugin.api_version != "client.authentication.k8s.io/v1" &&
      plugin.api_version != "client.authentication.k8s.io/v1beta1") {
    throw Wrong{exec.place("apiVersion"),
                "only client.authentication.k8s.io/v1 and v1beta1 are supported: update the "
                "program and the entry"};
  }
  if (exec.text("interactiveMode") == "Always") {
    throw Wrong{exec.place("interactiveMode"),
                "nobody is there to be asked: use a program that needs no terminal"};
  }
  auto command = exec.text("command");
  if (command.empty()) throw Wrong{exec.place("command"), "this must name the program"};
  // By its folder as the other files, unless it is to be looked for in PATH.
  if (command.find('/') != std::string::npos) {
    command = (folder / command).lexically_normal().string();
  }
  plugin.arguments.push_back(std::move(command));
  for (const auto& argument : exec.list("args")) {
    plugin.arguments.push_back(argument.as<std::string>());
  }
  for (const auto& node : exec.list("env")) {
    const Entry variable(node, exec.place("env"));
    plugin.environment[variable.text("name")] = variable.text("value");
  }
  plugin.install_hint = exec.text("installHint");
  return plugin;
}

void read_user(const Entry& user, const fs::path& folder, Cluster* cluster) {
  user.refuse(user_refusals);
  User own{.token = Secret<std::string>(user.text("token")),
           .token_file = path_of(user, "tokenFile", folder),
           .certificate_pem = user.data("client-certificate-data"),
           .certificate_file = path_of(user, "client-certificate", folder),
           .key_pem = Secret<std::string>(user.data("client-key-data")),
           .key_file = path_of(user, "client-key", folder)};
  const bool has_certificate = !own.certificate_pem.empty() || !own.certificate_file.empty();
  const bool has_key = !own.key_pem.empty() || !own.key_file.empty();
  if (has_certificate != has_key) {
    throw Wrong{user.place("client-certificate"),
                "a client certificate and its key (client-key) go together"};
  }
  const bool has_token = !own.token.empty() || !own.token_file.empty();
  if (user.has("exec")) {
    if (has_certificate || has_token) {
      throw Wrong{user.place("exec"), "exec goes without token and client certificate"};
    }
    cluster->exec = exec_in(user.entry("exec"), folder);
    return;
  }
  if (!has_certificate && !has_token) {
    throw Wrong{user.place("token"),
                "there is nothing to log in by: token, tokenFile, client-certificate or exec"};
  }
  cluster->read = [own = std::move(own)] { return own.read(); };
}

/// Errors in the files it names come as a result; what is wrong with itself is thrown.
Result<Cluster> read_context(const YAML::Node& document, std::string context,
                             const fs::path& folder) {
  const Entry root(document, "");
  if (context.empty()) context = root.text("current-context");
  if (context.empty()) {
    throw Wrong{"current-context", "there is none: set `context` in certherd's config"};
  }
  const auto chosen = named(root, "contexts", "context", context);
  const auto entry = named(root, "clusters", "cluster", chosen.text("cluster"));
  entry.refuse(cluster_refusals);

  Cluster cluster;
  cluster.namespace_ = chosen.text("namespace");
  cluster.server = entry.text("server");
  while (cluster.server.ends_with('/')) cluster.server.pop_back();
  if (auto address = http::check_url(cluster.server); !address) {
    throw Wrong{entry.place("server"), address.error().detail};
  }
  cluster.trust_pem = entry.data("certificate-authority-data");
  const auto authority = path_of(entry, "certificate-authority", folder);
  if (cluster.trust_pem.empty() && !authority.empty()) {
    auto text = read_small_file(authority);
    if (!text) return fail(std::move(text.error()));
    cluster.trust_pem = std::move(*text);
  }
  const auto user = named(root, "users", "user", chosen.text("user"));
  read_user(user, folder, &cluster);
  if (cluster.exec && user.entry("exec").flag("provideClusterInfo")) {
    cluster.exec->server = cluster.server;
    cluster.exec->authority_pem = cluster.trust_pem;
  }
  return cluster;
}

}  // namespace

Result<std::string> read_small_file(const fs::path& file) {
  auto text = read_file(file, file_limit);
  if (!text && text.error().kind != Error::Kind::denied) {
    text.error().kind = Error::Kind::misconfigured;
  }
  return text;
}

Result<Credential> read_token_file(const fs::path& file) {
  auto text = read_small_file(file);
  if (!text) return fail(std::move(text.error()));
  Credential credential;
  credential.token = trimmed(Secret<std::string>(std::move(*text)));
  if (credential.token.empty()) {
    return fail(Error::Kind::misconfigured, "read " + file.string(), "there is no token in it");
  }
  return credential;
}

Result<Cluster> read_kubeconfig(const fs::path& file, const std::string& context) {
  const auto op = "read the kubeconfig " + file.string();
  auto text = read_small_file(file);
  if (!text) return fail(std::move(text.error()).during(op));
  const Secret<std::string> content(std::move(*text));
  try {
    auto cluster = read_context(YAML::Load(content.reveal()), context, file.parent_path());
    if (!cluster) return fail(std::move(cluster.error()).during(op));
    return cluster;
  } catch (const Wrong& wrong) {
    return fail(Error::Kind::misconfigured, op, fmt::format("{}: {}", wrong.key, wrong.words));
  } catch (const YAML::Exception& exception) {
    return fail(Error::Kind::misconfigured, op,
                fmt::format("line {}: {}", exception.mark.line + 1, exception.msg));
  }
}

}  // namespace certherd::deploy::kubernetes
