#include "dns/route53/refusal.hpp"

#include <fmt/format.h>

#include <cctype>
#include <string_view>
#include <utility>

#include "dns/route53/names.hpp"

namespace certherd::dns::route53 {
namespace {

bool is_of_a_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.' ||
         c == '*' || c == '\\';
}

// Takes the next run of characters that names are made of.
std::string_view take_word(std::string_view& text) {
  std::size_t begin = 0;
  while (begin < text.size() && !is_of_a_name(text[begin])) ++begin;
  auto end = begin;
  while (end < text.size() && is_of_a_name(text[end])) ++end;
  const auto word = text.substr(begin, end - begin);
  text.remove_prefix(end);
  return word;
}

bool says(std::string_view words, std::string_view what) {
  return words.find(what) != std::string_view::npos;
}

// What can be done about it, where we know that.
std::string_view remedy(std::string_view words) {
  if (says(words, "CNAME")) {
    return "; a CNAME stands at that name: remove it, or let it lead to a name where a TXT record "
           "may stand, and try again";
  }
  if (says(words, "is not permitted in zone")) {
    return "; the name is not in that zone: correct the domain's zone_id, or leave it out so that "
           "the zone is found by name";
  }
  if (says(words, "routing policy") || says(words, "alias")) {
    return "; certherd leaves such record sets alone: remove it, or delegate the challenge name "
           "by a CNAME";
  }
  return "";
}

}  // namespace

std::map<Fqdn, Objection> objections(const std::vector<std::string>& messages,
                                     const std::set<Fqdn>& names) {
  std::map<Fqdn, Objection> found;
  for (const auto& message : messages) {
    // The zone of "… in zone example.com." is no name that is objected to.
    bool after_zone = false;
    std::string_view rest = message;
    for (auto word = take_word(rest); !word.empty(); word = take_word(rest)) {
      const bool is_zone = std::exchange(after_zone, word == "zone");
      const auto name = read_name(word);
      if (!name || is_zone || !names.contains(*name)) continue;
      const Objection objection{.words = message, .for_good = says(message, "is not permitted")};
      const auto [known, added] = found.try_emplace(*name, objection);
      if (!added && objection.for_good && !known->second.for_good) known->second = objection;
    }
  }
  return found;
}

Error refused(const TxtChange& change, const std::string& words) {
  Error error;
  error.kind = Error::Kind::rejected;
  error.op = change.value.text();
  error.detail =
      fmt::format("Route 53 refuses a TXT value at {}: {}{}", change.name, words, remedy(words));
  return error;
}

}  // namespace certherd::dns::route53
