#pragma once

#include <deque>
#include <functional>
#include <optional>

#include "crypto/pki.hpp"
#include "deploy/target.hpp"
#include "sim/by_name.hpp"

namespace certherd::sim {

/// A place that serves certificates, in memory; held to the same contract suite as the real ones.
class FakeTarget final : public deploy::Target {
 public:
  explicit FakeTarget(const crypto::Pki& pki = crypto::openssl_pki()) : pki_(pki) {}

  Task<Result<std::optional<deploy::Installation>>> observe(Fqdn domain) override;
  Task<Result<deploy::Receipt>> install(Fqdn domain, Material material,
                                        std::string version_key) override;
  Task<Status> clean_up(deploy::Receipt receipt) override;
  Task<Status> retire(deploy::Receipt receipt) override;
  Task<Status> check() override;
  Task<void> stop() override;

  /// Makes the next call of install() fail, before it changed anything; several line up.
  void fail_next_install(Error error) { failures_.push_back(std::move(error)); }

  /// Makes every call of install() fail, until it is nothing again.
  void refuse(std::optional<Error> error) { refusal_ = std::move(error); }

  /// Lets go of what is installed for the domain, as when its files are deleted by hand.
  void lose(const Fqdn& domain) { entries_.erase(domain); }
  void fail_next_retire(Error error) { retire_failures_.push_back(std::move(error)); }
  void fail_next_clean_up(Error error) { clean_up_failures_.push_back(std::move(error)); }

  /// What is left of earlier versions: one for each that took another's place, until clean_up().
  int leftovers() const { return leftovers_; }

  /// How often something was really put in: `unchanged` does not count.
  int installs() const { return installs_; }

  /// What is served for the domain; null when nothing is.
  const Material* served(const Fqdn& domain) const;
  /// The leaf of that chain; null when nothing is served, or no certificate.
  const crypto::CertificateInfo* leaf(const Fqdn& domain) const;
  /// Is told of each domain that serves something else from now on.
  void set_watch(std::function<void(const Fqdn&)> watch) { watch_ = std::move(watch); }

 private:
  struct Entry {
    std::string version_key;
    Material material;
    int leftovers = 0;
    mutable std::optional<crypto::CertificateInfo> leaf = {};  ///< read when it is asked for
  };

  const crypto::Pki& pki_;
  ByName<Entry> entries_;
  std::function<void(const Fqdn&)> watch_;
  std::deque<Error> failures_;
  std::optional<Error> refusal_;
  std::deque<Error> retire_failures_;
  std::deque<Error> clean_up_failures_;
  int installs_ = 0;
  int leftovers_ = 0;
};

}  // namespace certherd::sim
