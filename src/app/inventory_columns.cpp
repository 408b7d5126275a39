#include "app/inventory_columns.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "base/utf8.hpp"
#include "model/certificate_name.hpp"
#include "model/key_type.hpp"
#include "policy/maintenance_window.hpp"

namespace certherd::app {
namespace {

std::vector<std::string> words(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> found;
  for (std::string word; stream >> word;) found.push_back(std::move(word));
  return found;
}

std::optional<bool> parse_boolean(std::string_view text) {
  if (text == "true" || text == "yes" || text == "1" || text.empty()) return true;
  if (text == "false" || text == "no" || text == "0") return false;
  return std::nullopt;
}

std::string lower(std::string_view text) {
  std::string made(text);
  std::ranges::transform(made, made.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return made;
}

/// What is left of a column's name when it is spelled carelessly.
std::string skeleton(std::string_view column) {
  auto text = lower(column);
  std::erase_if(text, [](char c) { return c == ' ' || c == '_' || c == '-' || c == '.'; });
  if (text.ends_with('s')) text.pop_back();
  return text;
}

template <typename List, typename Text>
std::string joined(const List& list, Text text) {
  std::string line;
  for (const auto& each : list) {
    if (!line.empty()) line += ' ';
    line += text(each);
  }
  return line;
}

/// Fills a domain column by column and gathers what is wrong.
class DomainBuilder {
 public:
  explicit DomainBuilder(Domain domain) : domain_(std::move(domain)) {}

  Result<Domain> build(const Columns& columns) {
    if (domain_.name.empty() && !columns.contains("domain")) error("domain", "is missing");
    for (const auto& [column, value] : columns) {
      if (auto why = column_name_fault(column); !why.empty()) {
        error(column, std::move(why));
      } else if (!is_utf8(value) || value.contains('\0')) {
        error(column, value.contains('\0') ? "has a zero octet" : "is not UTF-8");
      } else {
        take(column, value);
      }
    }
    if (causes_.empty()) return std::move(domain_);
    if (causes_.size() == 1) return fail(std::move(causes_.front()));
    Error failure;
    failure.kind = Error::Kind::misconfigured;
    failure.op = "domain";
    failure.detail = fmt::format("{} columns are wrong", causes_.size());
    failure.causes = std::move(causes_);
    return fail(std::move(failure));
  }

 private:
  void take(const std::string& column, const std::string& value) {
    if (column == "domain") {
      primary(value);
    } else if (column == "names") {
      names(value);
    } else if (column == "zone_id") {
      domain_.zone_id = ZoneId(value);
    } else if (column == "ca") {
      domain_.cas.clear();
      for (auto& word : words(value)) domain_.cas.emplace_back(std::move(word));
    } else if (column == "dns") {
      domain_.dns = DnsName(value);
    } else if (column == "vault") {
      domain_.vault = VaultName(value);
    } else if (column == "targets") {
      domain_.targets.clear();
      for (auto& word : words(value)) domain_.targets.emplace_back(std::move(word));
    } else if (column == "key") {
      key(value);
    } else if (column == "profile") {
      domain_.profile = value;
    } else if (column == "endpoints") {
      endpoints(value);
    } else if (column == "owner") {
      domain_.owner = value;
    } else if (column == "enabled") {
      enabled(value);
    } else if (column == "hold") {
      hold(value);
    } else if (column == "window") {
      window(value);
    } else if (value.empty()) {
      domain_.metadata.erase(column);
    } else {
      domain_.metadata.insert_or_assign(column, value);
    }
  }

  void primary(const std::string& value) {
    auto name = this->name("domain", value);
    if (!name) return;
    if (!domain_.name.empty() && domain_.name != *name) {
      error("domain", "a name cannot be changed: add the other domain, and remove this one");
      return;
    }
    domain_.name = std::move(*name);
  }

  void names(const std::string& value) {
    domain_.names.clear();
    for (const auto& word : words(value)) {
      auto name = this->name("names", word);
      if (!name || std::ranges::count(domain_.names, *name) > 0) continue;
      domain_.names.push_back(std::move(*name));
    }
  }

  std::optional<Fqdn> name(const std::string& column, const std::string& text) {
    auto parsed = parse_certificate_name(text);
    if (parsed) return *parsed;
    error(column, parsed.error().message());
    return std::nullopt;
  }

  void key(const std::string& value) {
    if (value.empty() || parse_key_choice(value)) {
      domain_.key = value;
    } else {
      error("key", fmt::format("\"{}\" is none of {}", value, key_choices()));
    }
  }

  void endpoints(const std::string& value) {
    domain_.endpoints.clear();
    for (const auto& word : words(value)) {
      auto endpoint = Endpoint::parse(word);
      if (endpoint) {
        domain_.endpoints.push_back(std::move(*endpoint));
      } else {
        error("endpoints", endpoint.error().message());
      }
    }
  }

  void enabled(const std::string& value) {
    if (const auto enabled = parse_boolean(value)) {
      domain_.enabled = *enabled;
    } else {
      error("enabled", fmt::format("\"{}\" is neither true nor false", value));
    }
  }

  /// Also as a truth value: that is what databases keep.
  void hold(const std::string& value) {
    const auto held = value.empty() ? std::optional(false) : parse_boolean(value);
    if (held) {
      domain_.hold = *held ? "yes" : "";
    } else if (auto end = policy::hold_end(value)) {
      domain_.hold = value;
    } else {
      error("hold", end.error().detail);
    }
  }

  void window(const std::string& value) {
    if (auto window = policy::MaintenanceWindow::parse(value)) {
      domain_.window = value;
    } else {
      error("window", window.error().detail);
    }
  }

  void error(std::string column, std::string detail) {
    Error cause;
    cause.kind = Error::Kind::misconfigured;
    cause.op = std::move(column);
    cause.detail = std::move(detail);
    causes_.push_back(std::move(cause));
  }

  Domain domain_;
  std::vector<Error> causes_;
};

}  // namespace

std::string column_name_fault(std::string_view column) {
  if (column.empty()) return "a column needs a name";
  if (!is_utf8(column)) return "its name is not UTF-8";
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (std::ranges::any_of(column, control)) return "its name has a control character";
  if (column.front() == ' ' || column.back() == ' ') return "its name begins or ends with a space";
  const auto small = lower(column);
  if (small != column && std::ranges::count(known_columns, small) > 0) {
    return fmt::format("the column is written \"{}\"", small);
  }
  return {};
}

std::string_view meant_column(std::string_view metadata) {
  const auto bones = skeleton(metadata);
  for (const auto column : known_columns) {
    if (skeleton(column) == bones) return column;
  }
  return {};
}

Result<Domain> domain_of(const Columns& columns) { return with_columns(Domain(), columns); }

Result<Domain> with_columns(Domain domain, const Columns& columns) {
  auto built = DomainBuilder(std::move(domain)).build(columns);
  if (built) std::erase(built->names, built->name);
  return built;
}

Columns columns_of(const Domain& domain) {
  Columns columns = domain.metadata;
  const auto set = [&columns](std::string_view column, std::string value) {
    if (!value.empty()) columns.insert_or_assign(std::string(column), std::move(value));
  };
  const auto text_of = [](const auto& item) { return item.text(); };
  set("domain", domain.name.text());
  set("zone_id", domain.zone_id.text());
  set("names", joined(domain.names, text_of));
  set("ca", joined(domain.cas, text_of));
  set("dns", domain.dns.text());
  set("vault", domain.vault.text());
  set("targets", joined(domain.targets, text_of));
  set("key", domain.key);
  set("profile", domain.profile);
  set("endpoints", joined(domain.endpoints, text_of));
  set("owner", domain.owner);
  set("enabled", domain.enabled ? "true" : "false");
  set("hold", domain.hold);
  set("window", domain.window);
  return columns;
}

}  // namespace certherd::app
