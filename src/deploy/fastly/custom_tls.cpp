#include "deploy/fastly/custom_tls.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.hpp"
#include "deploy/fastly/failure.hpp"

namespace certherd::deploy::fastly {
namespace {

bool is_active(const Certificate& certificate, const std::string& name) {
  return std::ranges::any_of(certificate.activations, [&name](const Activation& activation) {
    return activation.domain == name;
  });
}

bool all_active(const Certificate& certificate, const std::set<std::string>& names) {
  return std::ranges::all_of(names, [&](const auto& name) { return is_active(certificate, name); });
}

std::string names_of(const std::vector<Activation>& activations) {
  std::string names;
  for (const auto& activation : activations) {
    names += fmt::format("{}{}", names.empty() ? "" : ", ", activation.domain);
  }
  return names;
}

}  // namespace

Task<Result<std::vector<Certificate>>> CustomTls::ours(Fqdn domain) {
  auto found = co_await api_.certificates_with(domain.text());
  if (!found) co_return found;
  std::erase_if(*found,
                [label = label_of(domain)](const auto& each) { return each.name != label; });
  co_return found;
}

Task<Result<std::optional<Installation>>> CustomTls::observe(Fqdn domain) {
  auto present = co_await ours(domain);
  if (!present) co_return fail(std::move(present.error()));
  const auto active = std::ranges::find_if(
      *present, [&domain](const auto& each) { return is_active(each, domain.text()); });
  if (active == present->end()) co_return std::nullopt;
  co_return Installation{.version_key = active->serial.text()};
}

Task<Result<Installed>> CustomTls::install(Fqdn domain, Leaf leaf, Material material) {
  auto present = co_await ours(domain);
  if (!present) co_return fail(std::move(present.error()));
  const auto same = std::ranges::find(*present, leaf.serial, &Certificate::serial);
  if (same != present->end()) {
    keys_.note(domain, leaf);
    if (all_active(*same, leaf.names)) co_return Installed::unchanged;
    auto certificate = std::move(*same);
    auto active = co_await activate_all(std::move(domain), std::move(leaf), std::move(certificate));
    if (!active) co_return fail(std::move(active.error()));
    co_return Installed::installed;
  }
  auto certificate = co_await upload(domain, leaf, std::move(material), std::move(*present));
  if (!certificate) co_return fail(std::move(certificate.error()));
  auto active = co_await activate_all(std::move(domain), std::move(leaf), std::move(*certificate));
  if (!active) co_return fail(std::move(active.error()));
  co_return Installed::installed;
}

// In the place of the former one where the names are the same: names that are missing in the new
// one would lose TLS at once.
Task<Result<Certificate>> CustomTls::upload(Fqdn domain, Leaf leaf, Material material,
                                            std::vector<Certificate> present) {
  auto key = co_await keys_.ensure(domain, leaf, std::move(material.private_key));
  if (!key) co_return fail(std::move(key.error()));

  std::optional<Certificate> former;
  for (auto& each : present) {
    if (each.domains != leaf.names) continue;
    // Of several, the one that serves.
    if (!former || each.activations.size() > former->activations.size()) former = std::move(each);
  }
  const auto label = label_of(domain);
  auto uploaded = former ? co_await api_.replace_certificate(former->id, material.fullchain, label)
                         : co_await api_.add_certificate(material.fullchain, label);
  if (!uploaded) {
    if (!is_refusal(uploaded.error()) && uploaded.error().kind != Error::Kind::not_found) {
      co_return uploaded;
    }
    // Nothing is to be left half done. It may also be the key that is not there.
    keys_.doubt();
    auto tidied = co_await keys_.remove_all_unused(domain);
    if (!tidied) log::warning("{}: {}", domain, tidied.error().message());
    co_return uploaded;
  }
  keys_.note(domain, leaf);
  if (former) uploaded->activations = std::move(former->activations);
  co_return uploaded;
}

Task<Status> CustomTls::activate_all(Fqdn domain, Leaf leaf, Certificate certificate) {
  std::optional<Error> refusal;
  std::size_t refused = 0;
  for (const auto& name : leaf.names) {
    if (is_active(certificate, name)) continue;
    auto active = co_await activate(name, certificate.id);
    if (active) continue;
    if (!is_refusal(active.error())) co_return active;
    ++refused;
    auto error = std::move(active.error()).during("activate " + name);
    if (refusal) {
      refusal->causes.push_back(std::move(error));
    } else {
      refusal = std::move(error);
    }
  }
  if (!refusal) co_return Status();
  if (refused == leaf.names.size()) {
    auto taken_back = co_await take_back(std::move(domain), std::move(certificate));
    if (!taken_back) log::warning("{}", taken_back.error().message());
  } else {
    refusal->detail +=
        fmt::format(" ({} of {} names are active)", leaf.names.size() - refused, leaf.names.size());
  }
  co_return fail(std::move(*refusal));
}

Task<Status> CustomTls::activate(std::string name, std::string certificate) {
  auto found = co_await api_.activations_of(name);
  if (!found) co_return fail(std::move(found.error()));
  if (found->empty()) {
    auto made = co_await api_.activate(std::move(name), std::move(certificate), configuration_);
    if (!made) co_return fail(std::move(made.error()));
    co_return Status();
  }
  for (auto& activation : *found) {
    if (activation.certificate == certificate) continue;
    auto moved = co_await api_.move(std::move(activation), certificate);
    if (!moved) co_return fail(std::move(moved.error()));
  }
  co_return Status();
}

// A certificate that serves no name, and its key.
Task<Status> CustomTls::take_back(Fqdn domain, Certificate certificate) {
  auto removed = co_await api_.remove_certificate(std::move(certificate.id));
  if (!removed) co_return removed;
  co_return co_await keys_.remove_all_unused(std::move(domain));
}

Task<Status> CustomTls::clean_up(Receipt receipt) {
  auto present = co_await ours(receipt.domain);
  if (!present) co_return fail(std::move(present.error()));
  const auto current = std::ranges::find(*present, receipt.version_key,
                                         [](const auto& each) { return each.serial.text(); });
  // Another run has installed another one meanwhile, and cleans up itself.
  if (current == present->end()) co_return Status();
  bool former_stands = false;
  for (auto& former : *present) {
    if (former.id == current->id) continue;
    const bool expired = former.not_after && *former.not_after <= api_.loop().clock().now();
    if (!former.activations.empty() && !expired) {
      log::warning(
          "{}: the former certificate {} at Fastly still serves {}, until it expires at {}: add "
          "these names to the inventory, or turn their TLS off at Fastly",
          receipt.domain, former.serial, names_of(former.activations),
          former.not_after ? format_time(*former.not_after) : "an unknown time");
      former_stands = true;
      continue;
    }
    if (auto removed = co_await remove(std::move(former)); !removed) co_return removed;
  }
  co_return co_await keys_.remove_unused(receipt.domain, former_stands);
}

Task<Status> CustomTls::retire(Receipt receipt) {
  auto present = co_await ours(receipt.domain);
  if (!present) co_return fail(std::move(present.error()));
  const bool other = !present->empty() && !receipt.version_key.empty() &&
                     std::ranges::none_of(*present, [&receipt](const auto& each) {
                       return each.serial.text() == receipt.version_key;
                     });
  if (other) co_return Status();
  for (auto& certificate : *present) {
    if (auto removed = co_await remove(std::move(certificate)); !removed) co_return removed;
  }
  co_return co_await keys_.remove_all(receipt.domain);
}

Task<Status> CustomTls::remove(Certificate certificate) {
  for (const auto& activation : certificate.activations) {
    if (auto removed = co_await api_.remove_activation(activation.id); !removed) co_return removed;
  }
  co_return co_await api_.remove_certificate(certificate.id);
}

}  // namespace certherd::deploy::fastly
