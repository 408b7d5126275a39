#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "deploy/kubernetes/kubernetes.hpp"
#include "fakes/issued_material.hpp"
#include "fakes/scripted_kubernetes.hpp"
#include "runtime/offload.hpp"
#include "runtime/virtual_loop.hpp"

namespace certherd::fakes {

/// A scripted cluster and a target that installs into its namespace "web", on the virtual clock.
class KubernetesStage {
 public:
  using Source = std::unique_ptr<deploy::kubernetes::CredentialSource>;
  using MakeSource = std::function<Source(runtime::EventLoop&, runtime::Offload&)>;

  explicit KubernetesStage(deploy::KubernetesOptions options = {},
                           const MakeSource& source = fixed_token) {
    options.api.server = ScriptedKubernetes::server;
    options.api.namespace_ = "web";
    target_ = deploy::make_kubernetes(
        *loop_,
        [this](const deploy::kubernetes::Credential& credential) {
          shown_.push_back(credential.certificate_pem);
          return std::make_unique<Line>(cluster_);
        },
        source(*loop_, *offload_), std::move(options));
  }

  static Source fixed_token(runtime::EventLoop& loop, runtime::Offload& offload) {
    return deploy::kubernetes::make_read_credentials(loop, offload, [] {
      deploy::kubernetes::Credential credential;
      credential.token = Secret<std::string>(ScriptedKubernetes::token);
      return Result<deploy::kubernetes::Credential>(std::move(credential));
    });
  }

  template <typename T>
  T run(Task<T> task) {
    return loop_->run(std::move(task));
  }

  runtime::EventLoop& loop() { return *loop_; }
  ScriptedKubernetes& cluster() { return cluster_; }
  deploy::Target& target() { return *target_; }
  const Issuer& issuer() const { return issuer_; }
  /// The client certificates of the clients that were made; empty for none.
  const std::vector<std::string>& shown() const { return shown_; }

 private:
  /// A client of one's own, to the one cluster.
  class Line final : public http::Client {
   public:
    explicit Line(http::Client& cluster) : cluster_(cluster) {}
    Task<Result<http::Response>> send(http::Request request, Time deadline) override {
      return cluster_.send(std::move(request), deadline);
    }

   private:
    http::Client& cluster_;
  };

  std::unique_ptr<runtime::EventLoop> loop_ =
      runtime::make_virtual_loop(Time(std::chrono::days(20'781)));
  std::unique_ptr<runtime::Offload> offload_ = runtime::make_inline_offload();
  ScriptedKubernetes cluster_{[this] { return loop_->clock().now(); }};
  Issuer issuer_{Time(std::chrono::days(20'781))};
  std::vector<std::string> shown_;
  std::unique_ptr<deploy::Target> target_;
};

}  // namespace certherd::fakes
