#include "dns/route53/record_changes.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "dns/route53/txt_value.hpp"

namespace certherd::dns::route53 {
namespace {

struct Wanted {
  std::set<TxtValue> ensured;
  std::set<TxtValue> removed;
};

std::map<Fqdn, Wanted> by_name(const std::vector<TxtChange>& changes) {
  std::map<Fqdn, Wanted> names;
  for (const auto& change : changes) {
    auto& wanted = names[change.name];
    const bool ensure = change.action == TxtChange::Action::ensure;
    (ensure ? wanted.ensured : wanted.removed).insert(change.value);
  }
  return names;
}

RecordSet own_set(const std::set<TxtValue>& values) {
  RecordSet set;
  for (const auto& value : values) set.texts.push_back(quote(value));
  return set;
}

// The set that is to stand where `old` stands now.
RecordSet merged(const RecordSet& old, const Wanted& wanted) {
  RecordSet next;
  std::set<TxtValue> standing;
  for (const auto& text : old.texts) {
    const auto value = unquote(text);
    if (value && wanted.removed.contains(*value)) continue;
    if (value) standing.insert(*value);
    next.texts.push_back(text);
  }
  if (!next.texts.empty()) next.ttl = old.ttl;
  for (const auto& value : wanted.ensured) {
    if (!standing.contains(value)) next.texts.push_back(quote(value));
  }
  return next;
}

std::size_t characters_of(const RecordSet& set) {
  std::size_t characters = 0;
  for (const auto& text : set.texts) characters += text.size();
  return characters;
}

}  // namespace

RecordChanges::RecordChanges(const std::vector<TxtChange>& changes, const KnownSets& known) {
  std::vector<SetChange> rewrites;
  for (const auto& [name, wanted] : by_name(changes)) {
    const auto read = known.find(name);
    if (read == known.end()) {
      const auto guess = own_set(wanted.removed);
      replace(name, guess.texts.empty() ? std::nullopt : std::optional(guess),
              own_set(wanted.ensured));
      continue;
    }
    const auto& old = read->second;
    auto next = old ? merged(*old, wanted) : own_set(wanted.ensured);
    if (old == next) {
      if (!wanted.ensured.empty()) {
        rewrites.push_back(
            {.action = SetChange::Action::create, .name = name, .set = std::move(next)});
      }
      continue;
    }
    replace(name, old, std::move(next));
  }
  add_where_room_is(rewrites);
}

void RecordChanges::add(SetChange change) {
  elements_ += change.set.texts.size();
  characters_ += characters_of(change.set);
  changes_.push_back(std::move(change));
}

void RecordChanges::replace(const Fqdn& name, const std::optional<RecordSet>& old, RecordSet next) {
  if (old) add({.action = SetChange::Action::remove, .name = name, .set = *old});
  if (next.texts.empty()) return;
  add({.action = SetChange::Action::create, .name = name, .set = std::move(next)});
}

void RecordChanges::add_where_room_is(const std::vector<SetChange>& rewrites) {
  for (const auto& rewrite : rewrites) {
    const auto elements = elements_ + 2 * rewrite.set.texts.size();
    const auto characters = characters_ + 2 * characters_of(rewrite.set);
    if (elements > most_elements || characters > most_characters) continue;
    replace(rewrite.name, rewrite.set, rewrite.set);
  }
}

}  // namespace certherd::dns::route53
