#include "deploy/acm/certificate_index.hpp"

#include <utility>

#include "base/versioned_folder.hpp"

namespace certherd::deploy::acm {
namespace {

constexpr int page_size = 1000;   // AWS API reference, ListCertificates: at most
constexpr int most_pages = 1000;  // far more certificates than any account may have
constexpr std::chrono::minutes holds_for(10);
constexpr std::chrono::minutes listed_within(5);  // after an import; AWS does not say
constexpr std::size_t longest_value = 256;        // AWS API reference, Tag

/// No tag may hold an asterisk. Only a wildcard of more than 247 characters is cut off; it is still
/// told from others by the names on its certificate.
std::string domain_value(const Fqdn& domain) {
  return folder_name(domain.text()).substr(0, longest_value);
}

/// Empty when it is not ours.
std::string domain_of(const Tags& tags) {
  const auto manager = tags.find(std::string(managed_by_key));
  const auto domain = tags.find(std::string(domain_key));
  const bool ours = manager != tags.end() && manager->second == managed_by_value;
  return ours && domain != tags.end() ? domain->second : std::string();
}

}  // namespace

Tags own_tags(const Fqdn& domain) {
  return {{std::string(managed_by_key), std::string(managed_by_value)},
          {std::string(domain_key), domain_value(domain)}};
}

/// Whoever leaves while listing, by a cancellation too, lets another one list.
class CertificateIndex::Filling {
 public:
  explicit Filling(CertificateIndex* index) : index_(*index), round_(std::make_shared<Round>()) {
    index_.filling_ = round_;
  }
  Filling(const Filling&) = delete;
  Filling& operator=(const Filling&) = delete;
  ~Filling() {
    round_->over = true;
    index_.filling_.reset();
    index_.filled_.notify_all();
  }
  Round& round() { return *round_; }

 private:
  CertificateIndex& index_;
  std::shared_ptr<Round> round_;
};

Task<Answer<std::vector<std::string>>> CertificateIndex::find(Fqdn domain) {
  const auto value = domain_value(domain);
  while (true) {
    auto filled = co_await fill();
    if (!filled) co_return tl::unexpected(std::move(filled.error()));
    std::vector<std::string> ours;
    std::vector<std::string> unread;
    for (const auto& arn : candidates(domain)) {
      const auto& tag = entries_.at(arn).domain;
      if (!tag) unread.push_back(arn);
      if (tag == value) ours.push_back(arn);
    }
    if (unread.empty()) co_return ours;
    for (const auto& arn : unread) {
      auto tags = co_await api_.tags(arn);
      if (!tags) co_return tl::unexpected(std::move(tags.error()));
      if (!*tags) {
        forget(arn);
      } else if (const auto entry = entries_.find(arn); entry != entries_.end()) {
        entry->second.domain = domain_of(**tags);
      }
    }
  }
}

void CertificateIndex::add(const std::string& arn, const Fqdn& domain) {
  const auto& own = own_[arn] = {.domain = domain, .imported_at = loop_.clock().now()};
  enter(arn, own);
}

void CertificateIndex::forget(const std::string& arn) {
  own_.erase(arn);
  entries_.erase(arn);
  with_more_names_.erase(arn);
  for (auto& [name, arns] : by_name_) arns.erase(arn);
}

void CertificateIndex::discard() {
  filled_at_.reset();
  if (filling_) filling_->discarded = true;
}

bool CertificateIndex::is_fresh() const {
  return filled_at_ && loop_.clock().now() < *filled_at_ + holds_for;
}

Task<Answer<void>> CertificateIndex::fill() {
  while (!is_fresh()) {
    if (const auto round = filling_) {
      while (!round->over) co_await filled_.wait();
      if (round->failure) co_return tl::unexpected(*round->failure);
      continue;
    }
    Filling filling(this);
    const auto began = loop_.clock().now();
    auto listed = co_await list_all();
    if (!listed) {
      filling.round().failure = listed.error();
      co_return tl::unexpected(std::move(listed.error()));
    }
    if (filling.round().discarded) continue;
    take(*listed);
    filled_at_ = began;
  }
  co_return Answer<void>();
}

Task<Answer<std::vector<Summary>>> CertificateIndex::list_all() {
  std::vector<Summary> all;
  std::string token;
  for (int count = 0; count < most_pages; ++count) {
    auto page = co_await api_.list(token, page_size);
    if (!page) co_return tl::unexpected(std::move(page.error()));
    for (auto& certificate : page->certificates) {
      if (certificate.imported) all.push_back(std::move(certificate));
    }
    token = std::move(page->next);
    if (token.empty()) co_return all;
  }
  aws::Failure endless;
  endless.error.kind = Error::Kind::transient;
  endless.error.op = "ListCertificates";
  endless.error.detail = "the list has no end";
  co_return tl::unexpected(std::move(endless));
}

void CertificateIndex::take(const std::vector<Summary>& listed) {
  entries_.clear();
  by_name_.clear();
  with_more_names_.clear();
  for (const auto& certificate : listed) {
    entries_.try_emplace(certificate.arn);
    for (const auto& name : certificate.names) by_name_[name].insert(certificate.arn);
    if (certificate.has_more_names) with_more_names_.insert(certificate.arn);
  }
  const auto since = loop_.clock().now() - listed_within;
  std::erase_if(own_, [since](const auto& own) { return own.second.imported_at < since; });
  for (const auto& [arn, own] : own_) enter(arn, own);
}

void CertificateIndex::enter(const std::string& arn, const Own& own) {
  entries_[arn].domain = domain_value(own.domain);
  by_name_[own.domain.text()].insert(arn);
}

std::set<std::string> CertificateIndex::candidates(const Fqdn& domain) const {
  auto found = with_more_names_;
  if (const auto named = by_name_.find(domain.text()); named != by_name_.end()) {
    found.insert(named->second.begin(), named->second.end());
  }
  return found;
}

}  // namespace certherd::deploy::acm
