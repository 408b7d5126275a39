#include "dns/route53/calls.hpp"

#include <fmt/format.h>

#include "aws/sigv4.hpp"
#include "dns/route53/errors.hpp"
#include "dns/route53/names.hpp"

namespace certherd::dns::route53 {
namespace {

using runtime::Urgency;

constexpr std::string_view version = "/2013-04-01";

// Route 53 developer guide, "Quotas on API requests": an account's CREATE and DELETE count one
// unit each.
constexpr double change_units_per_second = 100;
constexpr double change_units_at_once = 1500;

constexpr Duration stand_in_kept_for = std::chrono::hours(1);

std::string zone_path(const ZoneId& zone) {
  return fmt::format("{}/hostedzone/{}", version, aws::uri_encode(bare_id(zone.text())));
}

tl::unexpected<aws::Failure> without_answer(Error error) {
  aws::Failure failure;
  failure.error = std::move(error);
  return tl::unexpected<aws::Failure>(std::move(failure));
}

}  // namespace

Calls::Calls(aws::Session& session, runtime::Budget& budget, double requests_per_second)
    : client_(session, {.service = aws::Service::route53}),
      loop_(session.loop()),
      budget_(budget),
      requests_per_second_(requests_per_second),
      account_(session.loop(), [this](int key) { return find_account(key); }) {}

Task<Result<ZonePage>> Calls::zones_by_name(Fqdn from, ZoneId from_id, int most) {
  Query query{{"maxitems", std::to_string(most)}};
  if (!from.empty()) query.emplace_back("dnsname", spell(from));
  if (!from_id.empty()) query.emplace_back("hostedzoneid", from_id.text());
  auto reply = co_await get("ListHostedZonesByName", fmt::format("{}/hostedzonesbyname", version),
                            std::move(query), Urgency::look);
  if (!reply) co_return fail(std::move(reply.error()));
  co_return read_zone_page(reply->body);
}

Task<Result<ZonePage>> Calls::zones(std::string marker) {
  Query query{{"maxitems", "100"}};
  if (!marker.empty()) query.emplace_back("marker", std::move(marker));
  auto reply = co_await get("ListHostedZones", fmt::format("{}/hostedzone", version),
                            std::move(query), Urgency::look);
  if (!reply) co_return fail(std::move(reply.error()));
  co_return read_zone_page(reply->body);
}

Task<Result<std::vector<Fqdn>>> Calls::name_servers(ZoneId zone) {
  auto reply = co_await get("GetHostedZone", zone_path(zone), Query(), Urgency::look);
  if (!reply) co_return fail(std::move(reply.error()));
  co_return read_name_servers(reply->body);
}

Task<Result<RecordPage>> Calls::record_sets(ZoneId zone, Fqdn from, int most, Urgency urgency) {
  Query query{{"name", spell(from)}, {"type", "TXT"}, {"maxitems", std::to_string(most)}};
  auto reply =
      co_await get("ListResourceRecordSets", zone_path(zone) + "/rrset", std::move(query), urgency);
  if (!reply) co_return fail(std::move(reply.error()));
  co_return read_record_page(reply->body);
}

Task<tl::expected<ChangeInfo, aws::Failure>> Calls::change_record_sets(
    ZoneId zone, std::vector<SetChange> changes, Urgency urgency) {
  auto units = co_await take_change_units(changes.size());
  if (!units) co_return without_answer(std::move(units.error()));

  aws::Call call;
  call.operation = "ChangeResourceRecordSets";
  call.method = http::Request::Method::post;
  call.path = zone_path(zone) + "/rrset/";
  call.headers = {{"content-type", "application/xml"}};
  call.body = change_request(changes);
  call.admit = [this, urgency] { return pass(urgency); };
  call.leave = wants_a_gap;
  auto reply = co_await client_.send(std::move(call));
  if (!reply) co_return tl::unexpected<aws::Failure>(std::move(reply.error()));
  auto change = read_change(reply->body);
  if (!change) co_return without_answer(std::move(change.error()));
  co_return std::move(*change);
}

Task<Result<ChangeInfo>> Calls::change(Ticket id) {
  auto reply =
      co_await get("GetChange", fmt::format("{}/change/{}", version, aws::uri_encode(id.text())),
                   Query(), Urgency::look);
  if (!reply) co_return fail(std::move(reply.error()));
  co_return read_change(reply->body);
}

Task<Result<http::Response>> Calls::get(std::string operation, std::string path, Query query,
                                        Urgency urgency) {
  aws::Call call;
  call.operation = std::move(operation);
  call.method = http::Request::Method::get;
  call.path = std::move(path);
  call.query = std::move(query);
  call.admit = [this, urgency] { return pass(urgency); };
  auto reply = co_await client_.send(std::move(call));
  if (!reply) co_return fail(to_error(reply.error()));
  co_return std::move(*reply);
}

Task<Status> Calls::pass(Urgency urgency) {
  auto account = co_await account_.of(0);
  if (!account) co_return fail(std::move(account.error()));
  const runtime::Allowance allowance{
      .name = "route53/" + *account, .per_second = requests_per_second_, .burst = 1};
  auto& turnstile = turnstiles_.try_emplace(*account, loop_, budget_, allowance).first->second;
  co_return co_await turnstile.pass(urgency);
}

Task<Status> Calls::take_change_units(std::size_t units) {
  auto account = co_await account_.of(0);
  if (!account) co_return fail(std::move(account.error()));
  runtime::Allowance allowance{.name = "route53-changes/" + *account,
                               .per_second = change_units_per_second,
                               .burst = change_units_at_once};
  auto from = co_await budget_.take(std::move(allowance), static_cast<double>(units));
  if (!from) co_return fail(std::move(from.error()));
  co_await loop_.clock().sleep_until(*from);
  co_return Status();
}

// Where STS cannot be asked, as in a network without a way to it, those with the same access key
// share at least. Finding that out may take a while, in which every call waits.
Task<Result<std::string>> Calls::find_account(int) {
  if (!stand_in_.empty() && loop_.clock().now() < ask_again_at_) co_return stand_in_;
  auto account = co_await client_.session().account();
  if (account) co_return account;
  auto credentials = co_await client_.session().credentials();
  if (!credentials) co_return fail(std::move(credentials.error()));
  stand_in_ = std::move(credentials->access_key_id);
  ask_again_at_ = loop_.clock().now() + stand_in_kept_for;
  co_return stand_in_;
}

}  // namespace certherd::dns::route53
