#include "dns/caa_lookup.hpp"

#include <fmt/format.h>

#include <utility>

namespace certherd::dns {

Result<CaaProperty> parse_caa(std::string_view octets) {
  constexpr std::size_t head = 2;
  const auto unreadable = [](std::string why) {
    return fail(Error::Kind::rejected, "read CAA record", std::move(why));
  };
  if (octets.size() < head) return unreadable("a CAA record is too short");
  const auto tag_size = static_cast<std::size_t>(static_cast<unsigned char>(octets[1]));
  if (tag_size == 0) return unreadable("a CAA record has no tag");
  if (octets.size() < head + tag_size) return unreadable("a CAA record ends within its tag");
  CaaProperty property;
  property.flags = static_cast<std::uint8_t>(octets[0]);
  property.tag = octets.substr(head, tag_size);
  property.value = octets.substr(head + tag_size);
  return property;
}

CaaLookup::CaaLookup(runtime::EventLoop& loop, Resolvers& resolvers, ZoneFinder& zones)
    : resolvers_(resolvers),
      zones_(zones),
      steps_(loop, [this](Fqdn name) { return look_up(std::move(name)); }) {}

Task<Result<CaaSet>> CaaLookup::of(Fqdn name) {
  bool own_zones_only = false;
  for (Fqdn here = name.without_wildcard(); !here.empty(); here = here.parent()) {
    auto step = co_await steps_.of(here);
    if (!step) {
      if (own_zones_only && step.error().kind == Error::Kind::not_found) {
        co_return CaaSet{.properties = {}, .at = {}, .by = {}, .unasked = std::move(here)};
      }
      co_return fail(
          std::move(step.error()).during(fmt::format("look for CAA records at {}", here)));
    }
    if (!step->properties.empty()) {
      const bool led = step->trail.names.size() > 1;
      co_return CaaSet{.properties = std::move(step->properties),
                       .at = step->trail.end(),
                       .by = led ? step->trail.text() : std::string(),
                       .unasked = {}};
    }
    own_zones_only = step->own_zones_only;
  }
  co_return CaaSet{};
}

Task<Result<CaaLookup::Step>> CaaLookup::look_up(Fqdn name) {
  auto trail = co_await zones_.follow(std::move(name));
  if (!trail) co_return fail(std::move(trail.error()));
  Question question{.name = trail->end().text(), .type = RecordType::caa};
  auto answer = co_await resolvers_.ask(std::move(question));
  if (!answer) {
    auto error = std::move(answer.error());
    error.detail += trail->detour();
    co_return fail(std::move(error));
  }
  Step step;
  for (const auto& record : answer->message.answers) {
    if (record.type != RecordType::caa || record.name != trail->end().text()) continue;
    auto property = parse_caa(record.text);
    if (!property) co_return fail(std::move(property.error()));
    step.properties.push_back(std::move(*property));
  }
  step.own_zones_only = answer->message.authoritative && !answer->message.recursion_available;
  step.trail = std::move(*trail);
  co_return step;
}

}  // namespace certherd::dns
