#include "policy/split.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include "model/certificate_name.hpp"
#include "policy/public_suffix.hpp"

namespace certherd::policy {
namespace {

constexpr std::string_view www = "www.";

using Names = std::set<Fqdn>;

/// What the wildcards among them stand before.
Names wildcard_parents(const Names& names) {
  Names parents;
  for (const auto& name : names) {
    if (name.is_wildcard()) parents.insert(name.without_wildcard());
  }
  return parents;
}

/// The domain of each name; a name goes with a wildcard among them that covers it.
std::map<Fqdn, Fqdn> domains_of(const Names& names) {
  const auto parents = wildcard_parents(names);
  std::map<Fqdn, Fqdn> domains;
  for (const auto& name : names) {
    const bool covered = !name.is_wildcard() && parents.contains(name.parent());
    domains.emplace(name, domain_behind(covered ? name.parent() : name));
  }
  return domains;
}

/// The inventory by name.
class Known {
 public:
  explicit Known(const std::vector<Domain>& inventory) {
    for (const auto& domain : inventory) primary_.emplace(domain.name, &domain);
    for (const auto& domain : inventory) {
      for (const auto& name : domain.all_names()) by_name_.emplace(name, &domain);
      by_domain_.emplace(domain_behind(domain.name), &domain);
    }
  }

  /// Null when there is none.
  const Domain* with_primary(const Fqdn& name) const { return found(primary_, name); }

  /// Whose certificate the name stands on; first the domain that is called so.
  const Domain* with_name(const Fqdn& name) const {
    const auto* own = with_primary(name);
    return own != nullptr ? own : found(by_name_, name);
  }

  /// Who stands for a domain_behind(), be it by its www or its wildcard.
  const Domain* standing_for(const Fqdn& domain) const {
    const auto* own = with_primary(domain);
    return own != nullptr ? own : found(by_domain_, domain);
  }

 private:
  using Index = std::map<Fqdn, const Domain*>;

  static const Domain* found(const Index& index, const Fqdn& name) {
    const auto entry = index.find(name);
    return entry == index.end() ? nullptr : entry->second;
  }

  Index primary_;
  Index by_name_;
  Index by_domain_;
};

/// Brings names together into the domains that are to have a certificate of their own.
class Sorting {
 public:
  explicit Sorting(const Known& known) : known_(known) {}

  /// Adds the names of one certificate, or of one domain of the inventory. Gives the domains to
  /// which they belong.
  Names add(const Names& names) {
    Names keys;
    for (const auto& [name, domain] : domains_of(names)) {
      auto key = key_of(name, domain);
      groups_[key].insert(name);
      keys.insert(key);
    }
    // All names of an inventory domain that may lose some: those have to find a place as well.
    for (const auto& key : keys) involve(known_.with_primary(key));
    for (const auto& name : names) involve(known_.with_name(name));
    return keys;
  }

  const std::map<Fqdn, Names>& groups() const { return groups_; }

 private:
  // A domain of the inventory keeps its primary name, also where that is a wildcard or a www.
  Fqdn key_of(const Fqdn& name, const Fqdn& domain) const {
    if (known_.with_primary(name) != nullptr) return name;
    const auto* owner = known_.with_name(name);
    if (owner == nullptr || domain_behind(owner->name) != domain) {
      owner = known_.standing_for(domain);
    }
    return owner == nullptr ? domain : owner->name;
  }

  void involve(const Domain* domain) {
    if (domain == nullptr || !involved_.insert(domain).second) return;
    const auto names = domain->all_names();
    add(Names(names.begin(), names.end()));
  }

  const Known& known_;
  std::map<Fqdn, Names> groups_;
  std::set<const Domain*> involved_;
};

/// Without those that a wildcard among them covers, which a CA refuses as redundant.
Names needed(const Names& names) {
  const auto parents = wildcard_parents(names);
  Names kept;
  for (const auto& name : names) {
    if (name.is_wildcard() || !parents.contains(name.parent())) kept.insert(name);
  }
  return kept;
}

Fqdn primary_of(const Fqdn& key, const Names& names) {
  if (names.contains(key)) return key;
  for (const auto& name : names) {
    if (!name.is_wildcard()) return name;
  }
  return *names.begin();
}

bool covers_any(const Names& names, const Fqdn& host) {
  return std::ranges::any_of(names, [&](const Fqdn& name) { return name.covers(host); });
}

/// The choices of another domain, without what is about that domain alone.
Domain like(const Domain& other) {
  Domain domain;
  domain.cas = other.cas;
  domain.dns = other.dns;
  domain.vault = other.vault;
  domain.targets = other.targets;
  domain.key = other.key;
  domain.profile = other.profile;
  domain.owner = other.owner;
  domain.enabled = other.enabled;
  domain.hold = other.hold;
  domain.window = other.window;
  domain.metadata = other.metadata;
  return domain;
}

/// Makes the domains of sorted names.
class Proposing {
 public:
  Proposing(const Known& known, const std::vector<SeenCertificate>& seen, Names registered)
      : known_(known), registered_(std::move(registered)) {
    for (const auto& one : seen) {
      by_host_.emplace(one.endpoint.host, one.endpoint);
      by_parent_.emplace(one.endpoint.host.parent(), one.endpoint);
    }
  }

  OwnCertificate propose(const Fqdn& key, const Names& group) const {
    const auto* present = known_.with_primary(key);
    return present != nullptr ? changed(*present, group) : added(key, group);
  }

 private:
  using State = OwnCertificate::State;

  static OwnCertificate changed(const Domain& present, const Names& group) {
    auto names = needed(group);
    names.insert(present.name);
    OwnCertificate own;
    own.domain = present;
    own.registered_domain = registered_domain(present.name);
    own.domain.names = without(names, present.name);
    const auto before = present.all_names();
    const Names present_names(before.begin(), before.end());
    // Those of other domains go with their names.
    std::erase_if(own.domain.endpoints, [&](const Endpoint& endpoint) {
      return covers_any(present_names, endpoint.host) && !covers_any(names, endpoint.host);
    });
    own.state = names == present_names ? State::present : State::changed;
    return own;
  }

  OwnCertificate added(const Fqdn& key, const Names& group) const {
    const auto names = needed(group);
    const auto primary = primary_of(key, names);
    OwnCertificate own;
    own.registered_domain = registered_domain(primary);
    if (const auto* former = former_of(names)) {
      own.domain = like(*former);
      std::ranges::copy_if(former->endpoints, std::back_inserter(own.domain.endpoints),
                           [&](const auto& each) { return covers_any(names, each.host); });
    } else {
      own.domain.enabled = registered_.contains(own.registered_domain);
      own.domain.endpoints = seen_endpoints(primary, names);
    }
    own.domain.name = primary;
    own.domain.names = without(names, primary);
    return own;
  }

  static std::vector<Fqdn> without(Names names, const Fqdn& primary) {
    names.erase(primary);
    return {names.begin(), names.end()};
  }

  const Domain* former_of(const Names& names) const {
    for (const auto& name : names) {
      if (const auto* domain = known_.with_name(name)) return domain;
    }
    return nullptr;
  }

  /// Where the names were looked at; nothing when that is where it is looked in any case.
  std::vector<Endpoint> seen_endpoints(const Fqdn& primary, const Names& names) const {
    std::vector<Endpoint> endpoints;
    const auto add = [&endpoints](const auto& range) {
      for (auto entry = range.first; entry != range.second; ++entry) {
        const auto& endpoint = entry->second;
        if (std::ranges::find(endpoints, endpoint) == endpoints.end()) {
          endpoints.push_back(endpoint);
        }
      }
    };
    for (const auto& name : names) {
      const auto& hosts = name.is_wildcard() ? by_parent_ : by_host_;
      add(hosts.equal_range(name.without_wildcard()));
    }
    const Endpoint usual{.host = primary, .port = 443, .address = {}};
    if (endpoints == std::vector{usual}) return {};
    return endpoints;
  }

  const Known& known_;
  std::multimap<Fqdn, Endpoint> by_host_;
  std::multimap<Fqdn, Endpoint> by_parent_;
  Names registered_;
};

/// The names of which domains can be made; why the others cannot goes into `left_out`.
Names usable(const std::vector<std::string>& texts, std::map<std::string, std::string>& left_out) {
  Names names;
  for (const auto& text : texts) {
    auto name = parse_certificate_name(text);
    if (name) {
      names.insert(std::move(*name));
    } else {
      left_out.emplace(text, name.error().detail);
    }
  }
  return names;
}

std::vector<SharedCertificate> shared_among(const std::vector<SeenCertificate>& seen) {
  std::map<Fingerprint, std::size_t> places;
  std::vector<SharedCertificate> shared;
  for (const auto& one : seen) {
    if (const auto known = places.find(one.fingerprint); known != places.end()) {
      auto& endpoints = shared[known->second].endpoints;
      if (std::ranges::find(endpoints, one.endpoint) == endpoints.end()) {
        endpoints.push_back(one.endpoint);
      }
      continue;
    }
    if (domains_behind(one.names).size() < 2) continue;
    places.emplace(one.fingerprint, shared.size());
    shared.push_back(
        {.seen = one, .endpoints = {one.endpoint}, .domains = {}, .registered_domains = {}});
  }
  std::ranges::sort(shared, [](const SharedCertificate& a, const SharedCertificate& b) {
    return std::pair(a.seen.not_after, a.seen.fingerprint) <
           std::pair(b.seen.not_after, b.seen.fingerprint);
  });
  return shared;
}

}  // namespace

Fqdn domain_behind(const Fqdn& name) {
  auto domain = name.without_wildcard();
  if (!domain.text().starts_with(www)) return domain;
  auto behind = domain.parent();
  // What is no domain by itself is a public suffix, or below none.
  const bool is_domain = !behind.parent().empty() && registered_domain(domain) != domain;
  return is_domain ? behind : domain;
}

std::vector<Fqdn> domains_behind(const std::vector<std::string>& names) {
  Names parsed;
  for (const auto& text : names) {
    if (auto name = Fqdn::parse(text)) parsed.insert(std::move(*name));
  }
  Names domains;
  for (auto& [name, domain] : domains_of(parsed)) domains.insert(domain);
  return {domains.begin(), domains.end()};
}

Split split_shared(const std::vector<SeenCertificate>& seen, const std::vector<Fqdn>& looked_at,
                   const std::vector<Domain>& inventory) {
  Split split;
  split.shared = shared_among(seen);
  if (split.shared.empty()) return split;

  const Known known(inventory);
  Sorting sorting(known);
  std::map<std::string, std::string> left_out;
  std::vector<Names> keys;  // of the domains on each shared certificate
  keys.reserve(split.shared.size());
  for (const auto& shared : split.shared) {
    keys.push_back(sorting.add(usable(shared.seen.names, left_out)));
  }

  Names registered;
  for (const auto& host : looked_at) registered.insert(registered_domain(host));
  for (const auto& domain : inventory) registered.insert(registered_domain(domain.name));
  const Proposing proposing(known, seen, std::move(registered));
  std::map<Fqdn, const OwnCertificate*> by_key;
  split.own.reserve(sorting.groups().size());
  for (const auto& [key, names] : sorting.groups()) {
    split.own.push_back(proposing.propose(key, names));
    by_key.emplace(key, &split.own.back());
  }
  for (std::size_t i = 0; i < keys.size(); ++i) {
    Names domains;
    Names registered_domains;
    for (const auto& key : keys[i]) {
      domains.insert(by_key.at(key)->domain.name);
      registered_domains.insert(by_key.at(key)->registered_domain);
    }
    split.shared[i].domains.assign(domains.begin(), domains.end());
    split.shared[i].registered_domains.assign(registered_domains.begin(), registered_domains.end());
  }
  std::ranges::sort(split.own, {}, [](const OwnCertificate& own) { return own.domain.name; });
  for (auto& [name, reason] : left_out) split.left_out.push_back({name, reason});
  return split;
}

}  // namespace certherd::policy
