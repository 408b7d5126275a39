#include "deploy/acm/section.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "aws/access.hpp"
#include "deploy/acm/acm.hpp"
#include "deploy/acm/certificate_index.hpp"

namespace certherd::deploy {
namespace {

// CloudFront takes certificates from there alone (ACM user guide).
constexpr const char* region_of_cloudfront = "us-east-1";

// AWS General Reference, tag restrictions, and AWS API reference, Tag. Two of 50 are ours.
constexpr std::size_t most_tags = 48;
constexpr std::size_t longest_key = 128;
constexpr std::size_t longest_value = 256;
constexpr std::string_view punctuation = " _.:/=+-@";

class AcmSection final : public TargetSection {
 public:
  AcmSection(aws::SectionOptions access, bool for_cloudfront, AcmOptions options)
      : access_(std::move(access)), for_cloudfront_(for_cloudfront), options_(std::move(options)) {}

  // CloudFront developer guide, requirements for certificates; ACM user guide, integrated services.
  Acceptance accepts() const override {
    Acceptance acceptance{
        .keys = {KeyType::ecdsa_p256, KeyType::rsa_2048, KeyType::rsa_3072, KeyType::rsa_4096}};
    if (!for_cloudfront_) acceptance.keys.push_back(KeyType::ecdsa_p384);
    return acceptance;
  }

  Result<std::unique_ptr<Target>> open(const Surroundings& surroundings) const override {
    auto access = aws::open(access_, aws::Service::acm, surroundings.loop, surroundings.offload,
                            surroundings.random, surroundings.user_agent);
    if (!access) return fail(std::move(access.error()));
    auto& session = *access->session;
    return make_acm(session, surroundings.offload, surroundings.budget, options_,
                    std::move(*access));
  }

 private:
  aws::SectionOptions access_;
  bool for_cloudfront_;
  AcmOptions options_;
};

bool is_for_cloudfront(config::Section& section) {
  const auto service = section.text("service").value_or("load-balancer");
  if (service != "load-balancer" && service != "cloudfront") {
    section.fault("service", "must be load-balancer or cloudfront");
  }
  return service == "cloudfront";
}

bool may_be_in_a_tag(std::string_view text) {
  // Beyond ASCII letters and digits of all scripts are allowed; which of them is for AWS to say.
  return std::ranges::all_of(text, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           static_cast<unsigned char>(c) >= 0x80U || punctuation.find(c) != std::string_view::npos;
  });
}

std::map<std::string, std::string> read_tags(config::Section& section) {
  std::map<std::string, std::string> tags;
  for (auto& [key, value] : section.text_map("tags")) {
    if (key == acm::managed_by_key || key == acm::domain_key) {
      section.fault("tags", fmt::format("\"{}\" is set by certherd itself", key));
    } else if (key.empty() || key.size() > longest_key || key.starts_with("aws:") ||
               value.size() > longest_value || !may_be_in_a_tag(key) || !may_be_in_a_tag(value)) {
      section.fault("tags",
                    fmt::format("\"{}\": a key has 1 to {} characters and does not begin with "
                                "aws:, a value has {} at most, all of them letters, digits, "
                                "spaces and _ . : / = + - @",
                                key, longest_key, longest_value));
    } else {
      tags.emplace(key, value);
    }
  }
  if (tags.size() > most_tags) {
    section.fault("tags", fmt::format("must be {} at most: AWS allows 50, and two are certherd's",
                                      most_tags));
  }
  return tags;
}

}  // namespace

std::shared_ptr<const TargetSection> read_acm(config::Section& section,
                                              const std::filesystem::path& /*folder*/) {
  auto access = aws::read_section_options(section);
  const bool for_cloudfront = is_for_cloudfront(section);
  if (for_cloudfront) {
    if (!access.region.empty() && access.region != region_of_cloudfront) {
      section.fault("region", fmt::format("must be {} for CloudFront, or not be there",
                                          region_of_cloudfront));
    }
    access.region = region_of_cloudfront;
  }
  AcmOptions options{.tags = read_tags(section)};
  section.done();
  return std::make_shared<AcmSection>(std::move(access), for_cloudfront, std::move(options));
}

}  // namespace certherd::deploy
