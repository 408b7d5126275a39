#include "sim/scripted_route53.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <pugixml.hpp>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "sim/aws_signature.hpp"

namespace certherd::sim {
namespace {

using Method = http::Request::Method;

constexpr std::string_view xml_namespace = "https://route53.amazonaws.com/doc/2013-04-01/";
constexpr std::string_view version = "/2013-04-01/";

constexpr std::size_t most_elements = 1000;
constexpr std::size_t most_characters = 32'000;
constexpr double units_per_second = 100;
constexpr double units_at_once = 1500;

std::string decode(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned octet = 0;
    const auto* digits = text.data() + i + 1;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(digits, digits + 2, octet, 16).ptr == digits + 2) {
      plain.push_back(static_cast<char>(octet));
      i += 2;
    } else {
      plain.push_back(text[i]);
    }
  }
  return plain;
}

std::string escape(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      default:
        escaped.push_back(c);
    }
  }
  return escaped;
}

std::string element(std::string_view name, std::string_view text) {
  return fmt::format("<{}>{}</{}>", name, escape(text), name);
}

http::Response xml_answer(int status, std::string_view body) {
  http::Response response;
  response.status = status;
  response.headers = {{"content-type", "text/xml"}};
  response.body = fmt::format("<?xml version=\"1.0\"?>\n{}", body);
  return response;
}

http::Response good(std::string_view root, std::string_view content) {
  return xml_answer(200,
                    fmt::format("<{} xmlns=\"{}\">{}</{}>", root, xml_namespace, content, root));
}

http::Response refusal(int status, std::string_view code, std::string_view message) {
  return xml_answer(status,
                    fmt::format("<ErrorResponse xmlns=\"{}\"><Error><Type>Sender</Type>{}{}</Error>"
                                "<RequestId>b25f48e8-84fd-11e6-80d9-574e0c4664cb</RequestId>"
                                "</ErrorResponse>",
                                xml_namespace, element("Code", code), element("Message", message)));
}

http::Response no_such_zone(std::string_view id) {
  return refusal(404, "NoSuchHostedZone", fmt::format("No hosted zone found with ID: {}", id));
}

http::Response bad_batch(const std::vector<std::string>& messages) {
  std::string list;
  for (const auto& message : messages) list += element("Message", message);
  return xml_answer(400, fmt::format("<InvalidChangeBatch xmlns=\"{}\"><Messages>{}</Messages>"
                                     "<RequestId>b25f48e8</RequestId></InvalidChangeBatch>",
                                     xml_namespace, list));
}

std::string bare(std::string_view id) {
  const auto slash = id.rfind('/');
  return std::string(slash == std::string_view::npos ? id : id.substr(slash + 1));
}

// As the API wants a name: lower case, with a trailing dot, odd characters in octal.
std::string spelled(std::string_view name) {
  std::string text;
  for (const char c : name) {
    if (c == '*') {
      text += "\\052";
    } else {
      text.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
    }
  }
  if (!text.ends_with('.')) text.push_back('.');
  return text;
}

std::string zone_element(const HostedZone& zone) {
  return fmt::format("<HostedZone>{}{}{}<Config>{}</Config>{}</HostedZone>",
                     element("Id", "/hostedzone/" + zone.id),
                     element("Name", zone.name.text() + "."), element("CallerReference", zone.id),
                     element("PrivateZone", zone.is_private ? "true" : "false"),
                     element("ResourceRecordSetCount", "2"));
}

std::string set_element(const Route53Set& set) {
  std::string inner = element("Name", set.name) + element("Type", set.type);
  if (!set.identifier.empty()) {
    inner += element("SetIdentifier", set.identifier) + element("Weight", "1");
  }
  if (set.alias) {
    inner +=
        "<AliasTarget><HostedZoneId>Z2FDTNDATAQYW2</HostedZoneId><DNSName>d.example.net."
        "</DNSName><EvaluateTargetHealth>false</EvaluateTargetHealth></AliasTarget>";
  } else {
    inner += element("TTL", std::to_string(set.ttl)) + "<ResourceRecords>";
    for (const auto& value : set.values) {
      inner += "<ResourceRecord>" + element("Value", value) + "</ResourceRecord>";
    }
    inner += "</ResourceRecords>";
  }
  return "<ResourceRecordSet>" + inner + "</ResourceRecordSet>";
}

// Nothing but these children, each once and in this order.
bool is_strict(pugi::xml_node node, std::initializer_list<std::string_view> names) {
  auto child = node.first_child();
  for (const auto name : names) {
    if (child.name() != name) return false;
    child = child.next_sibling();
  }
  return !child;
}

std::optional<Route53Change> read_change(pugi::xml_node node) {
  const auto set = node.child("ResourceRecordSet");
  const bool good_form = std::string_view(node.name()) == "Change" &&
                         is_strict(node, {"Action", "ResourceRecordSet"}) &&
                         is_strict(set, {"Name", "Type", "TTL", "ResourceRecords"});
  if (!good_form) return std::nullopt;
  Route53Change change;
  change.action = node.child("Action").text().get();
  if (change.action != "CREATE" && change.action != "DELETE" && change.action != "UPSERT") {
    return std::nullopt;
  }
  change.set.name = spelled(set.child("Name").text().get());
  change.set.type = set.child("Type").text().get();
  change.set.ttl = set.child("TTL").text().as_uint();
  for (const auto record : set.child("ResourceRecords").children()) {
    if (std::string_view(record.name()) != "ResourceRecord" || !is_strict(record, {"Value"})) {
      return std::nullopt;
    }
    change.set.values.emplace_back(record.child("Value").text().get());
  }
  return change;
}

std::optional<std::vector<Route53Change>> read_batch(const std::string& body) {
  pugi::xml_document document;
  if (!document.load_buffer(body.data(), body.size())) return std::nullopt;
  const auto root = document.document_element();
  const auto batch = root.child("ChangeBatch");
  const bool good_form = std::string_view(root.name()) == "ChangeResourceRecordSetsRequest" &&
                         root.attribute("xmlns").value() == xml_namespace &&
                         is_strict(root, {"ChangeBatch"}) && is_strict(batch, {"Changes"}) &&
                         batch.child("Changes").first_child();
  if (!good_form) return std::nullopt;
  std::vector<Route53Change> changes;
  for (const auto node : batch.child("Changes").children()) {
    auto change = read_change(node);
    if (!change) return std::nullopt;
    changes.push_back(std::move(*change));
  }
  return changes;
}

// A number of a query between 1 and the most; nothing when it is none.
std::optional<std::size_t> page_size(const std::map<std::string, std::string>& query,
                                     std::size_t most) {
  const auto given = query.find("maxitems");
  if (given == query.end()) return most;
  std::size_t size = 0;
  const auto& text = given->second;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), size);
  if (read.ptr != text.data() + text.size() || size == 0 || size > most) return std::nullopt;
  return size;
}

std::string value_of(const std::map<std::string, std::string>& query, const std::string& name) {
  const auto found = query.find(name);
  return found == query.end() ? std::string() : found->second;
}

}  // namespace

struct ScriptedRoute53::Target {
  std::string operation;
  std::string id;  ///< of the zone or change
  Query query;

  /// Nothing when the API has no such call.
  static std::optional<Target> of(const http::Request& request);
};

std::optional<ScriptedRoute53::Target> ScriptedRoute53::Target::of(const http::Request& request) {
  std::string_view rest = request.url;
  rest.remove_prefix(std::min(rest.size(), rest.find("://") + 3));
  rest.remove_prefix(std::min(rest.size(), rest.find('/')));
  if (!rest.starts_with(version)) return std::nullopt;
  rest.remove_prefix(version.size());
  const auto mark = rest.find('?');
  auto path = rest.substr(0, mark);
  std::string_view pairs = mark == std::string_view::npos ? "" : rest.substr(mark + 1);

  Target target;
  std::set<std::string> allowed;
  const auto zone_calls = [&] {
    const auto slash = path.find('/');
    target.id = decode(path.substr(0, slash));
    const auto what = slash == std::string_view::npos ? "" : path.substr(slash);
    if (what.empty() && request.method == Method::get) {
      target.operation = "GetHostedZone";
    } else if (what == "/rrset" && request.method == Method::get) {
      target.operation = "ListResourceRecordSets";
      allowed = {"name", "type", "identifier", "maxitems"};
    } else if (what == "/rrset/" && request.method == Method::post) {
      target.operation = "ChangeResourceRecordSets";
    }
  };
  if (path == "hostedzonesbyname" && request.method == Method::get) {
    target.operation = "ListHostedZonesByName";
    allowed = {"dnsname", "hostedzoneid", "maxitems"};
  } else if (path == "hostedzone" && request.method == Method::get) {
    target.operation = "ListHostedZones";
    allowed = {"marker", "maxitems"};
  } else if (path.starts_with("hostedzone/")) {
    path.remove_prefix(std::string_view("hostedzone/").size());
    zone_calls();
  } else if (path.starts_with("change/") && request.method == Method::get) {
    target.operation = "GetChange";
    target.id = decode(path.substr(std::string_view("change/").size()));
  }

  while (!pairs.empty()) {
    const auto pair = pairs.substr(0, pairs.find('&'));
    pairs.remove_prefix(std::min(pairs.size(), pair.size() + 1));
    const auto equals = pair.find('=');
    auto name = decode(pair.substr(0, equals));
    if (!allowed.contains(name)) return std::nullopt;
    target.query[std::move(name)] = decode(pair.substr(equals + 1));
  }
  if (target.operation.empty() || (request.method == Method::get && !request.body.empty())) {
    return std::nullopt;
  }
  return target;
}

ScriptedRoute53::ScriptedRoute53(runtime::Clock& clock, runtime::Random& random, Options options)
    : clock_(clock), random_(random), options_(std::move(options)) {
  call_bucket_ = {.level = options_.calls_at_once, .since = clock.now()};
  unit_bucket_ = {.level = units_at_once, .since = clock.now()};
}

Task<Result<http::Response>> ScriptedRoute53::send(http::Request request, Time deadline) {
  struct Busy {
    std::set<std::string>* zones;
    std::string zone;
    ~Busy() { zones->erase(zone); }
  };
  auto outcome = take(request);
  std::optional<Busy> busy;
  if (!outcome.zone.empty()) {
    busy_.insert(outcome.zone);
    busy.emplace(&busy_, outcome.zone);
  }
  const auto answered = clock_.now() + between(options_.least_latency, options_.most_latency);
  co_await clock_.sleep_until(std::min(answered, deadline));
  if (answered > deadline) {
    co_return certherd::fail(Error::Kind::deadline, "scripted Route 53", "no answer in time");
  }
  if (outcome.lost) {
    co_return certherd::fail(Error::Kind::transient, "scripted Route 53", "the connection broke");
  }
  co_return std::move(outcome.response);
}

http::Response ScriptedRoute53::answer(const http::Request& request) {
  return take(request).response;
}

void ScriptedRoute53::fail(const std::string& operation, std::size_t nth, Fault fault) {
  faults_[{operation, seen_[operation] + nth}] = std::move(fault);
}

std::size_t ScriptedRoute53::count(const std::string& operation) const {
  const auto known = counts_.find(operation);
  return known == counts_.end() ? 0 : known->second;
}

std::size_t ScriptedRoute53::refused(const std::string& code) const {
  const auto known = refusals_.find(code);
  return known == refusals_.end() ? 0 : known->second;
}

std::optional<Time> ScriptedRoute53::in_sync_at(const Ticket& change) const {
  const auto known = changes_.find(change.text());
  if (known == changes_.end()) return std::nullopt;
  return known->second.in_sync_at;
}

ScriptedRoute53::Outcome ScriptedRoute53::take(const http::Request& request) {
  Outcome outcome;
  if (request.body.starts_with("Action=")) {
    outcome.response = answer_sts(request);
    return outcome;
  }
  const auto target = Target::of(request);
  if (!target) throw std::logic_error("Route 53 has no such call: " + request.url);

  if (options_.calls_kept && calls_.size() >= *options_.calls_kept) calls_.pop_front();
  auto& call = calls_.emplace_back();
  call.at = clock_.now();
  call.operation = target->operation;
  if (target->operation != "GetChange") call.zone = target->id;
  const auto fault = faults_.find({target->operation, ++seen_[target->operation]});
  const bool planned = fault != faults_.end() && fault->second.kind == Fault::Kind::answer;

  const auto server_now = clock_.now() + options_.clock_ahead;
  const aws::SigningScope scope{"us-east-1", "route53"};
  if (auto refused = refuse_bad_signature(request, options_.credentials, scope, server_now, true,
                                          signing_key_)) {
    call.code = "signature";
    outcome.response = std::move(*refused);
  } else if (!draw(&call_bucket_, options_.calls_per_second, options_.calls_at_once, 1)) {
    call.code = "Throttling";
    outcome.response = refusal(400, call.code, "Rate exceeded");
  } else if (planned) {
    call.code = fault->second.code;
    outcome.response = call.code.empty()
                           ? http::Response{.status = fault->second.status,
                                            .headers = {{"content-type", "text/html"}},
                                            .body = "<html><body>Service Unavailable</body></html>"}
                           : refusal(fault->second.status, call.code, fault->second.message);
  } else {
    outcome.response = perform(request, *target, &call);
    if (target->operation == "ChangeResourceRecordSets" && call.code != "PriorRequestNotComplete") {
      outcome.zone = call.zone;
    }
  }
  call.status = outcome.response.status;
  ++all_calls_;
  ++counts_[call.operation];
  if (!call.code.empty()) ++refusals_[call.code];
  if (fault != faults_.end() && fault->second.kind == Fault::Kind::lost_reply) outcome.lost = true;
  if (fault != faults_.end() && fault->second.kind == Fault::Kind::cut_off) {
    outcome.response.body.resize(outcome.response.body.size() / 2);
  }
  return outcome;
}

http::Response ScriptedRoute53::answer_sts(const http::Request& request) {
  ++sts_calls_;
  if (request.body != "Action=GetCallerIdentity&Version=2011-06-15") {
    throw std::logic_error("STS has no such call: " + request.body);
  }
  return xml_answer(
      200, fmt::format("<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/"
                       "2011-06-15/\"><GetCallerIdentityResult>{}{}{}</GetCallerIdentityResult>"
                       "</GetCallerIdentityResponse>",
                       element("Arn", fmt::format("arn:aws:iam::{}:user/test", options_.account)),
                       element("UserId", "AIDAEXAMPLE"), element("Account", options_.account)));
}

http::Response ScriptedRoute53::perform(const http::Request& request, const Target& target,
                                        CallRecord* call) {
  const auto response = [&] {
    if (target.operation == "ListHostedZonesByName") return list_zones_by_name(target.query);
    if (target.operation == "ListHostedZones") return list_zones(target.query);
    if (target.operation == "GetChange") return get_change(target.id);
    if (zones_.find(target.id) == nullptr) return no_such_zone(target.id);
    if (target.operation == "GetHostedZone") return get_zone(target.id);
    if (target.operation == "ListResourceRecordSets") return list_sets(target.id, target.query);
    return change_sets(target.id, request.body, call);
  }();
  if (response.status != 200 && call->code.empty()) {
    const auto begin = response.body.find("<Code>");
    call->code = begin == std::string::npos
                     ? "InvalidChangeBatch"
                     : response.body.substr(begin + 6, response.body.find("</Code>") - begin - 6);
  }
  return response;
}

http::Response ScriptedRoute53::list_zones_by_name(const Query& query) const {
  const auto most = page_size(query, 100);
  const auto name = value_of(query, "dnsname");
  const auto id = bare(value_of(query, "hostedzoneid"));
  if (!most || (name.empty() && !id.empty())) return refusal(400, "InvalidInput", "bad page");

  const auto& all = zones_.by_name();
  auto next = all.lower_bound({name.empty() ? "" : Route53Zones::reversed(spelled(name)), id});
  std::string zones;
  std::size_t count = 0;
  for (; next != all.end() && count < *most; ++next, ++count) zones += zone_element(*next->second);
  std::string tail = element("IsTruncated", next == all.end() ? "false" : "true");
  if (next != all.end()) {
    tail += element("NextDNSName", next->second->name.text() + ".") +
            element("NextHostedZoneId", next->second->id);
  }
  return good("ListHostedZonesByNameResponse",
              fmt::format("<HostedZones>{}</HostedZones>{}{}{}", zones,
                          name.empty() ? "" : element("DNSName", spelled(name)), tail,
                          element("MaxItems", std::to_string(*most))));
}

http::Response ScriptedRoute53::list_zones(const Query& query) const {
  const auto most = page_size(query, 100);
  if (!most) return refusal(400, "InvalidInput", "bad page");
  // In no order that says anything: by id.
  std::map<std::string, const HostedZone*> all;
  for (const auto& [key, zone] : zones_.by_name()) all.emplace(zone->id, zone);
  auto next = all.lower_bound(value_of(query, "marker"));
  std::string zones;
  std::size_t count = 0;
  for (; next != all.end() && count < *most; ++next, ++count) zones += zone_element(*next->second);
  std::string tail = element("IsTruncated", next == all.end() ? "false" : "true");
  if (next != all.end()) tail += element("NextMarker", next->first);
  return good("ListHostedZonesResponse",
              fmt::format("<HostedZones>{}</HostedZones>{}{}{}", zones,
                          element("Marker", value_of(query, "marker")), tail,
                          element("MaxItems", std::to_string(*most))));
}

http::Response ScriptedRoute53::get_zone(const std::string& id) const {
  const auto& zone = *zones_.find(id);
  if (zone.is_private) {
    return good("GetHostedZoneResponse", zone_element(zone) +
                                             "<VPCs><VPC><VPCRegion>eu-west-1</VPCRegion>"
                                             "<VPCId>vpc-1</VPCId></VPC></VPCs>");
  }
  std::string servers;
  for (const auto& server : zone.name_servers) servers += element("NameServer", server);
  return good("GetHostedZoneResponse",
              fmt::format("{}<DelegationSet><NameServers>{}</NameServers></DelegationSet>",
                          zone_element(zone), servers));
}

http::Response ScriptedRoute53::list_sets(const std::string& zone, const Query& query) const {
  const auto most = page_size(query, 300);
  const auto name = value_of(query, "name");
  const auto type = value_of(query, "type");
  if (!most || (name.empty() && !type.empty())) return refusal(400, "InvalidInput", "bad page");

  auto found = zones_.sets(zone, name.empty() ? "" : spelled(name), type, *most + 1);
  std::string tail = element("IsTruncated", found.size() > *most ? "true" : "false");
  if (found.size() > *most) {
    tail +=
        element("NextRecordName", found.back().name) + element("NextRecordType", found.back().type);
    if (!found.back().identifier.empty()) {
      tail += element("NextRecordIdentifier", found.back().identifier);
    }
    found.pop_back();
  }
  std::string sets;
  for (const auto& set : found) sets += set_element(set);
  return good("ListResourceRecordSetsResponse",
              fmt::format("<ResourceRecordSets>{}</ResourceRecordSets>{}{}", sets, tail,
                          element("MaxItems", std::to_string(*most))));
}

http::Response ScriptedRoute53::get_change(const std::string& id) const {
  const auto known = changes_.find(id);
  if (known == changes_.end()) {
    return refusal(404, "NoSuchChange", fmt::format("A change with id {} does not exist", id));
  }
  const bool in_sync = clock_.now() >= known->second.in_sync_at;
  return good("GetChangeResponse",
              fmt::format("<ChangeInfo>{}{}{}</ChangeInfo>", element("Id", "/change/" + id),
                          element("Status", in_sync ? "INSYNC" : "PENDING"),
                          element("SubmittedAt", "2026-11-23T12:00:00.000Z")));
}

http::Response ScriptedRoute53::change_sets(const std::string& zone, const std::string& body,
                                            CallRecord* call) {
  auto batch = read_batch(body);
  if (!batch) throw std::logic_error("no ChangeResourceRecordSetsRequest: " + body);
  call->changes = std::move(*batch);
  const bool pending = options_.refuse_while_pending && pending_until_[zone] > clock_.now();
  if (busy_.contains(zone) || pending) {
    return refusal(400, "PriorRequestNotComplete",
                   "The request was rejected because Route 53 was still processing a prior "
                   "request.");
  }

  std::size_t elements = 0;
  std::size_t characters = 0;
  std::size_t units = 0;
  for (const auto& change : call->changes) {
    const std::size_t weight = change.action == "UPSERT" ? 2 : 1;
    units += weight;
    elements += weight * change.set.values.size();
    for (const auto& value : change.set.values) characters += weight * value.size();
  }
  if (elements > most_elements || characters > most_characters) {
    return bad_batch(
        {fmt::format("Number of records limit of {} exceeded or more than {} "
                     "characters of values",
                     most_elements, most_characters)});
  }
  if (!draw(&unit_bucket_, units_per_second, units_at_once, static_cast<double>(units))) {
    return refusal(400, "Throttling", "Rate exceeded");
  }
  if (interference_) interference_();
  auto plan = schedule();
  const auto messages = zones_.change(zone, call->changes, plan);
  if (!messages.empty()) return bad_batch(messages);

  const auto id = plan.id;
  pending_until_[zone] = std::max(pending_until_[zone], plan.in_sync_at);
  changes_.emplace(id, std::move(plan));
  // They are numbered in the order in which they came.
  if (options_.calls_kept && changes_.size() > *options_.calls_kept)
    changes_.erase(changes_.begin());
  return good("ChangeResourceRecordSetsResponse",
              fmt::format("<ChangeInfo>{}{}{}</ChangeInfo>", element("Id", "/change/" + id),
                          element("Status", "PENDING"),
                          element("SubmittedAt", "2026-11-23T12:00:00.000Z")));
}

bool ScriptedRoute53::draw(Bucket* bucket, double per_second, double burst, double units) {
  const auto now = clock_.now();
  const std::chrono::duration<double> passed = now - bucket->since;
  bucket->level = std::min(burst, bucket->level + passed.count() * per_second);
  bucket->since = now;
  constexpr double rounding = 1e-6;
  if (bucket->level + rounding < units) return false;
  bucket->level -= units;
  return true;
}

Route53Schedule ScriptedRoute53::schedule() {
  const auto now = clock_.now();
  const bool slow = options_.slow_changes > 0 && random_.fraction() < options_.slow_changes;
  const auto whole = slow ? options_.slow_to_in_sync
                          : between(options_.least_to_in_sync, options_.most_to_in_sync);
  Route53Schedule schedule;
  schedule.id = fmt::format("C{:013}", ++change_numbers_);
  schedule.in_sync_at = now + whole;
  for (auto& moment : schedule.shown_at) moment = now + between(whole / 2, whole);
  return schedule;
}

Duration ScriptedRoute53::between(Duration least, Duration most) {
  const auto span = static_cast<std::uint64_t>((most - least).count());
  return least + Duration(static_cast<std::int64_t>(random_.uniform(0, span)));
}

}  // namespace certherd::sim
