#include "dns/route53/xml.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <pugixml.hpp>
#include <utility>

#include "dns/route53/names.hpp"

namespace certherd::dns::route53 {
namespace {

constexpr std::string_view xml_namespace = "https://route53.amazonaws.com/doc/2013-04-01/";

// The HTTP client's own limit, for those who bring another client. 300 record sets with a few
// values each are a tenth of it.
constexpr std::size_t largest_reply = 4U << 20U;

tl::unexpected<Error> strange(std::string_view what) {
  return fail(Error::Kind::transient, "read Route 53's answer",
              fmt::format("{}; it may have been cut off on its way, and is asked for again", what));
}

// Reads a body whose root element is one of `roots` into the document.
Result<pugi::xml_node> open(pugi::xml_document& document, std::string_view body,
                            std::initializer_list<std::string_view> roots) {
  if (body.size() > largest_reply) return strange("it is larger than 4 MiB");
  const auto parsed = document.load_buffer(body.data(), body.size());
  if (!parsed) {
    return strange(
        fmt::format("it is no XML ({} at octet {})", parsed.description(), parsed.offset));
  }
  const auto root = document.document_element();
  if (std::ranges::find(roots, std::string_view(root.name())) == roots.end()) {
    return strange(fmt::format("it has an element \"{:.60}\" where {} was expected", root.name(),
                               *roots.begin()));
  }
  return root;
}

std::string text_of(pugi::xml_node node, const char* child) {
  return node.child(child).text().get();
}

bool is_true(pugi::xml_node node, const char* child) { return text_of(node, child) == "true"; }

Result<ListedSet> read_set(pugi::xml_node node) {
  ListedSet listed;
  listed.name = text_of(node, "Name");
  listed.type = text_of(node, "Type");
  if (listed.name.empty() || listed.type.empty()) {
    return strange("a record set in it has no name or no type");
  }
  const auto ttl = node.child("TTL");
  listed.simple = ttl && !node.child("SetIdentifier") && !node.child("AliasTarget");
  listed.set.ttl = ttl.text().as_uint();
  for (const auto record : node.child("ResourceRecords").children("ResourceRecord")) {
    listed.set.texts.push_back(text_of(record, "Value"));
  }
  return listed;
}

void append(pugi::xml_node node, const char* name, const std::string& text) {
  node.append_child(name).text().set(text.c_str());
}

struct StringWriter final : pugi::xml_writer {
  void write(const void* data, std::size_t size) override {
    text.append(static_cast<const char*>(data), size);
  }
  std::string text;
};

}  // namespace

Result<ZonePage> read_zone_page(std::string_view body) {
  pugi::xml_document document;
  const auto root =
      open(document, body, {"ListHostedZonesByNameResponse", "ListHostedZonesResponse"});
  if (!root) return fail(root.error());
  const auto zones = root->child("HostedZones");
  if (!zones) return strange("it has no list of hosted zones");

  ZonePage page;
  for (const auto zone : zones.children("HostedZone")) {
    ListedZone listed;
    listed.id = ZoneId(bare_id(text_of(zone, "Id")));
    listed.name = text_of(zone, "Name");
    listed.is_private = is_true(zone.child("Config"), "PrivateZone");
    if (listed.id.empty() || listed.name.empty()) {
      return strange("a hosted zone in it has no id or no name");
    }
    page.zones.push_back(std::move(listed));
  }
  page.truncated = is_true(*root, "IsTruncated");
  page.next_name = text_of(*root, "NextDNSName");
  page.next_id = bare_id(text_of(*root, "NextHostedZoneId"));
  page.next_marker = text_of(*root, "NextMarker");
  return page;
}

Result<RecordPage> read_record_page(std::string_view body) {
  pugi::xml_document document;
  const auto root = open(document, body, {"ListResourceRecordSetsResponse"});
  if (!root) return fail(root.error());
  const auto sets = root->child("ResourceRecordSets");
  if (!sets) return strange("it has no list of record sets");

  RecordPage page;
  for (const auto node : sets.children("ResourceRecordSet")) {
    auto listed = read_set(node);
    if (!listed) return fail(std::move(listed.error()));
    page.sets.push_back(std::move(*listed));
  }
  page.truncated = is_true(*root, "IsTruncated");
  page.next_name = text_of(*root, "NextRecordName");
  return page;
}

Result<ChangeInfo> read_change(std::string_view body) {
  pugi::xml_document document;
  const auto root = open(document, body, {"ChangeResourceRecordSetsResponse", "GetChangeResponse"});
  if (!root) return fail(root.error());
  const auto info = root->child("ChangeInfo");
  const auto id = bare_id(text_of(info, "Id"));
  const auto status = text_of(info, "Status");
  if (id.empty()) return strange("the change in it has no id");
  if (status != "PENDING" && status != "INSYNC") {
    return strange(fmt::format("the status of the change in it is \"{:.60}\"", status));
  }
  return ChangeInfo{.id = Ticket(id),
                    .state = status == "INSYNC" ? ChangeState::in_sync : ChangeState::pending};
}

Result<std::vector<Fqdn>> read_name_servers(std::string_view body) {
  pugi::xml_document document;
  const auto root = open(document, body, {"GetHostedZoneResponse"});
  if (!root) return fail(root.error());
  if (!root->child("HostedZone")) return strange("it has no hosted zone");

  std::vector<Fqdn> servers;
  for (const auto node : root->child("DelegationSet").child("NameServers").children("NameServer")) {
    auto server = read_name(node.text().get());
    if (!server) return strange("a name server in it has no name");
    servers.push_back(std::move(*server));
  }
  std::ranges::sort(servers);
  return servers;
}

std::string change_request(const std::vector<SetChange>& changes) {
  pugi::xml_document document;
  auto root = document.append_child("ChangeResourceRecordSetsRequest");
  root.append_attribute("xmlns").set_value(std::string(xml_namespace).c_str());
  auto list = root.append_child("ChangeBatch").append_child("Changes");
  for (const auto& change : changes) {
    auto node = list.append_child("Change");
    append(node, "Action", change.action == SetChange::Action::create ? "CREATE" : "DELETE");
    auto set = node.append_child("ResourceRecordSet");
    append(set, "Name", spell(change.name));
    append(set, "Type", "TXT");
    append(set, "TTL", fmt::format("{}", change.set.ttl));
    auto records = set.append_child("ResourceRecords");
    for (const auto& text : change.set.texts) {
      append(records.append_child("ResourceRecord"), "Value", text);
    }
  }
  StringWriter writer;
  document.save(writer, "", pugi::format_raw, pugi::encoding_utf8);
  return std::move(writer.text);
}

}  // namespace certherd::dns::route53
