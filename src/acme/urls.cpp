#include "acme/urls.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/url.hpp>

namespace certherd::acme {
namespace {

namespace urls = boost::urls;

// Longer ones are of no CA; they would only fill the store.
constexpr std::size_t longest_url = 2048;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blank = " \t";
  const auto first = text.find_first_not_of(blank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

/// The part up to the first `stop` outside quotes; `text` becomes what is behind it.
std::string_view cut(std::string_view& text, char stop) {
  bool quoted = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (quoted && text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      quoted = !quoted;
    } else if (text[at] == stop && !quoted) {
      const auto part = text.substr(0, at);
      text.remove_prefix(at + 1);
      return part;
    }
  }
  return std::exchange(text, std::string_view());
}

char lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

bool same_word(std::string_view left, std::string_view right) {
  return std::ranges::equal(left, right,
                            [](char one, char other) { return lower(one) == lower(other); });
}

/// Whether one link's parameters name `relation`; a rel may hold several, parted by spaces.
bool has_relation(std::string_view parameters, std::string_view relation) {
  while (!parameters.empty()) {
    std::string_view value = cut(parameters, ';');
    const auto name = trimmed(value.substr(0, value.find('=')));
    if (!same_word(name, "rel") || !value.contains('=')) continue;
    value = trimmed(value.substr(value.find('=') + 1));
    if (value.size() >= 2 && value.starts_with('"') && value.ends_with('"')) {
      value = value.substr(1, value.size() - 2);
    }
    while (!value.empty()) {
      if (same_word(trimmed(cut(value, ' ')), relation)) return true;
    }
    return false;  // RFC 8288 section 3.3: a second rel is ignored
  }
  return false;
}

}  // namespace

Result<std::string> check_url(std::string_view text) {
  const auto refuse = [text](std::string_view why) {
    return fail(Error::Kind::rejected, "check URL",
                fmt::format("the CA gave the URL {} {}", text.substr(0, longest_url), why));
  };
  if (text.size() > longest_url) return refuse("which is too long");
  const auto url = urls::parse_uri(text);
  if (!url || url->encoded_host().empty()) return refuse("which is none");
  if (url->scheme_id() == urls::scheme::https) return std::string(text);
  return refuse("which is not HTTPS");
}

Result<std::string> resolve_url(std::string_view base, std::string_view reference) {
  if (urls::parse_uri(reference)) return check_url(reference);
  const auto from = urls::parse_uri(base);
  const auto to = urls::parse_uri_reference(reference);
  urls::url absolute;
  if (!from || !to || !urls::resolve(*from, *to, absolute)) return check_url(reference);
  return check_url(absolute.buffer());
}

std::vector<std::string> links(const http::Response& response, std::string_view relation) {
  std::vector<std::string> targets;
  for (std::string_view rest : response.all("link")) {
    while (!rest.empty()) {
      // A comma may stand inside the brackets, so the target is taken off first.
      rest.remove_prefix(std::min(rest.find_first_not_of(" \t,"), rest.size()));
      const auto end = rest.find('>');
      if (!rest.starts_with('<') || end == std::string_view::npos) break;
      const auto target = rest.substr(1, end - 1);
      rest.remove_prefix(end + 1);
      if (has_relation(cut(rest, ','), relation)) targets.emplace_back(target);
    }
  }
  return targets;
}

}  // namespace certherd::acme
