#pragma once

#include <utility>

#include "deploy/target.hpp"
#include "http/client.hpp"
#include "sim/line.hpp"
#include "vault/vault.hpp"

namespace certherd::sim {

/// A vault at the other end of a line.
class VaultOnLine final : public vault::Vault {
 public:
  VaultOnLine(vault::Vault& vault, Line& line) : vault_(vault), line_(line) {}

  Task<Result<VaultReferences>> store(Fqdn domain, Material material,
                                      vault::Version version) override;
  Task<Result<Material>> load(Fqdn domain) override;
  Task<Result<std::optional<vault::Description>>> describe(Fqdn domain) override;
  Task<Status> check() override;

 private:
  vault::Vault& vault_;
  Line& line_;
};

/// A target at the other end of a line.
class TargetOnLine final : public deploy::Target {
 public:
  TargetOnLine(deploy::Target& target, Line& line) : target_(target), line_(line) {}

  Task<Result<std::optional<deploy::Installation>>> observe(Fqdn domain) override;
  Task<Result<deploy::Receipt>> install(Fqdn domain, Material material,
                                        std::string version_key) override;
  Task<Status> clean_up(deploy::Receipt receipt) override;
  Task<Status> retire(deploy::Receipt receipt) override;
  Task<Status> check() override;
  Task<void> stop() override { return target_.stop(); }

 private:
  deploy::Target& target_;
  Line& line_;
};

/// A server at the other end of a line, which has its own time besides the line's.
class HttpOnLine final : public http::Client {
 public:
  HttpOnLine(http::Client& server, Line& line) : server_(server), line_(line) {}

  Task<Result<http::Response>> send(http::Request request, Time deadline) override;

 private:
  http::Client& server_;
  Line& line_;
};

}  // namespace certherd::sim
