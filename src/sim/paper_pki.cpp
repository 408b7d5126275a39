#include "sim/paper_pki.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>

namespace certherd::sim {
namespace {

// Each paper is lines: what it is, and then what it says. By the first one a key that got into an
// event is known for what it is.
constexpr std::string_view key_title = "-----BEGIN PRIVATE KEY-----";
constexpr std::string_view csr_title = "paper request";
constexpr std::string_view certificate_title = "paper certificate";
constexpr std::string_view public_part = "public part of ";

tl::unexpected<Error> no_paper(std::string_view title) {
  return fail(Error::Kind::rejected, "read", fmt::format("it is no {}", title));
}

/// The lines below the title; nothing when it is something else, or has another number of lines.
std::optional<std::vector<std::string_view>> lines_of(std::string_view paper,
                                                      std::string_view title, std::size_t count) {
  std::vector<std::string_view> lines;
  lines.reserve(count + 1);
  while (!paper.empty()) {
    const auto end = std::min(paper.size(), paper.find('\n'));
    lines.push_back(paper.substr(0, end));
    paper.remove_prefix(std::min(paper.size(), end + 1));
  }
  if (lines.size() != count + 1 || lines.front() != title) return std::nullopt;
  lines.erase(lines.begin());
  return lines;
}

std::vector<std::string> names_in(std::string_view line) {
  std::vector<std::string> names;
  while (!line.empty()) {
    const auto end = std::min(line.size(), line.find(' '));
    names.emplace_back(line.substr(0, end));
    line.remove_prefix(std::min(line.size(), end + 1));
  }
  return names;
}

std::vector<std::string> sorted_texts(const std::vector<Fqdn>& names) {
  std::vector<std::string> texts;
  texts.reserve(names.size());
  for (const auto& name : names) texts.push_back(name.text());
  std::ranges::sort(texts);
  return texts;
}

// Certificates know no smaller unit (RFC 5280 section 4.1.2.5).
std::chrono::seconds::rep seconds_of(Time time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

std::optional<Time> time_in(std::string_view line) {
  std::chrono::seconds::rep seconds = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), seconds);
  if (error != std::errc{} || end != line.data() + line.size()) return std::nullopt;
  return Time(std::chrono::seconds(seconds));
}

}  // namespace

Result<crypto::PrivateKey> PaperPki::generate(KeyType type) {
  return read_key(
      Secret<std::string>(fmt::format("{}\n{} {}", key_title, ++keys_, to_string(type))));
}

Result<crypto::PrivateKey> PaperPki::read_key(const Secret<std::string>& pem) const {
  const auto lines = lines_of(pem.reveal(), key_title, 1);
  if (!lines) return no_paper(key_title);
  const auto line = lines->front();
  const auto type = parse_key_type(line.substr(std::min(line.size(), line.find(' ') + 1)));
  if (!type) return no_paper(key_title);
  return crypto::PrivateKey(*type, pem, fmt::format("{}{}", public_part, line));
}

Result<std::string> PaperPki::make_csr(const crypto::PrivateKey& key,
                                       const std::vector<Fqdn>& names) const {
  return fmt::format("{}\n{}\n{}", csr_title, key.public_key(),
                     fmt::join(sorted_texts(names), " "));
}

Result<crypto::CsrInfo> PaperPki::read_csr(std::string_view der) const {
  const auto lines = lines_of(der, csr_title, 2);
  if (!lines) return no_paper(csr_title);
  return crypto::CsrInfo{
      .names = names_in((*lines)[1]), .common_name = {}, .public_key = std::string((*lines)[0])};
}

std::string PaperPki::issue(std::string_view public_key, const std::vector<std::string>& names,
                            std::uint64_t serial, Time not_before, Time not_after) const {
  return fmt::format("{}\n{:x}\n{}\n{}\n{}\n{}\n", certificate_title, serial, public_key,
                     seconds_of(not_before), seconds_of(not_after), fmt::join(names, " "));
}

Result<std::vector<crypto::CertificateInfo>> PaperPki::read_chain(std::string_view pem) const {
  const auto lines = lines_of(pem, certificate_title, 5);
  if (!lines) return no_paper(certificate_title);
  const auto& text = *lines;
  const auto not_before = time_in(text[2]);
  const auto not_after = time_in(text[3]);
  if (!not_before || !not_after) return no_paper(certificate_title);
  crypto::CertificateInfo info;
  info.serial = Serial(std::string(text[0]));
  info.names = names_in(text[4]);
  info.issuer = "paper root";
  info.not_before = *not_before;
  info.not_after = *not_after;
  constexpr int digits_of_sha256 = 64;
  info.fingerprint = Fingerprint(fmt::format("{:0>{}}", text[0], digits_of_sha256));
  info.public_key = std::string(text[1]);
  info.ari_id = fmt::format("paper.{}", text[0]);
  std::vector<crypto::CertificateInfo> chain;
  chain.push_back(std::move(info));
  return chain;
}

Result<crypto::CertificateInfo> PaperPki::check_issued(std::string_view chain_pem,
                                                       std::string_view public_key,
                                                       const std::vector<Fqdn>& names,
                                                       Time now) const {
  auto chain = read_chain(chain_pem);
  if (!chain) return fail(std::move(chain.error()));
  auto& leaf = chain->front();
  const bool dates = leaf.not_before <= now && now < leaf.not_after;
  if (leaf.public_key != public_key || leaf.names != sorted_texts(names) || !dates) {
    return fail(Error::Kind::rejected, "check certificate", "it is not what was asked for");
  }
  return std::move(leaf);
}

}  // namespace certherd::sim
