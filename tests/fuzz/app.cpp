#include <algorithm>

#include "app/config.hpp"
#include "app/domain_filter.hpp"
#include "app/hosts_file.hpp"
#include "app/inventory_check.hpp"
#include "app/inventory_file.hpp"
#include "app/serial_list.hpp"
#include "base/utf8.hpp"
#include "fuzz/file.hpp"
#include "fuzz/fuzz.hpp"
#include "fuzz/targets.hpp"
#include "model/serial.hpp"

namespace certherd::fuzz {
namespace {

void expect_same(const Domain& one, const Domain& other) {
  expect(one.name == other.name && one.names == other.names && one.zone_id == other.zone_id &&
             one.cas == other.cas && one.dns == other.dns && one.vault == other.vault &&
             one.targets == other.targets && one.key == other.key && one.profile == other.profile &&
             one.endpoints == other.endpoints && one.owner == other.owner &&
             one.enabled == other.enabled && one.hold == other.hold && one.window == other.window &&
             one.metadata == other.metadata,
         "a domain that was written is read the same");
}

}  // namespace

/// A config file.
void config_file(std::string_view input) {
  static File file;
  file.write(input);
  const auto config = app::load_config(file.path());
  if (!is_good(config)) {
    expect(config.error().kind == Error::Kind::misconfigured, "a config is wrong, nothing else");
    return;
  }
  for (const auto& [name, ca] : config->cas) {
    expect(!ca.directory.empty() && !ca.authority().empty(), "a CA has a directory");
  }
  Domain domain;
  domain.name = Fqdn::literal("example.org");
  for (const auto& misfit : app::misfits(*config, domain)) expect_told(misfit);
  app::doubts_about(*config, domain);
}

/// An inventory, as CSV or JSON.
void inventory(std::string_view input) {
  auto file = app::read_inventory(input);
  if (!is_good(file)) return;
  if (!file->faults.empty()) expect_told(file->faults.error());
  for (const auto& row : file->rows) {
    expect(!row.domain.name.empty(), "a domain has a name");
    for (const auto& [key, value] : row.domain.metadata) {
      expect(is_utf8(key) && is_utf8(value), "metadata is in UTF-8");
    }
  }
  const auto domains = std::move(*file).domains();
  const auto written = app::write_csv(domains);
  auto again = app::read_inventory(written);
  expect(again && again->faults.empty(), "an inventory that was written can be read");
  const auto same = std::move(*again).domains();
  expect(same.size() == domains.size(), "all of its domains are there again");
  for (std::size_t i = 0; i < domains.size(); ++i) expect_same(domains[i], same[i]);
  expect(app::write_csv(same) == written, "it is written the same again");
}

/// Lists of endpoints and of serials, one a line.
void lists(std::string_view input) {
  const auto hosts = app::read_hosts(input);
  if (is_good(hosts)) {
    for (const auto& endpoint : *hosts) {
      const auto again = Endpoint::parse(endpoint.text());
      expect(again && *again == endpoint, "an endpoint is read the same again");
    }
  }
  const auto serials = app::read_serials(input);
  if (is_good(serials)) {
    for (const auto& serial : *serials) {
      expect(parse_serial(serial.text()) == serial, "a serial is read the same again");
    }
  }
}

/// A filter of domains, as a person writes it.
void domain_filter(std::string_view input) {
  const auto filter = app::DomainFilter::parse(input);
  if (!is_good(filter)) return;
  store::DomainRow row;
  row.domain.name = Fqdn::literal("example.org");
  row.domain.owner = "web";
  row.domain.metadata = {{"cost", "4711"}};
  const auto chosen = filter->select({row}, {}, now);
  if (is_good(chosen)) expect(chosen->size() <= 1, "only what is there is chosen");
}

}  // namespace certherd::fuzz
