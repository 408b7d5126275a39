#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "notify/notifier_section.hpp"
#include "notify/smtp/section.hpp"
#include "notify/webhook/section.hpp"

namespace certherd::notify {
namespace {

using Read = std::shared_ptr<const NotifierSection> (*)(config::Section&,
                                                        const std::filesystem::path&);

struct Type {
  std::string_view name;
  Read read;
};

// One line for each folder beside this file.
constexpr std::array types = {Type{"smtp", read_smtp}, Type{"webhook", read_webhook}};

constexpr std::string_view recovered = "recovered";

void read_events(config::Section& section, Subscription& subscription) {
  const auto names = section.texts("events");
  if (!names) return;
  subscription.kinds.clear();
  subscription.endings = false;
  std::string known;
  for (const auto kind : alarm_kinds) known += fmt::format("{}, ", to_string(kind));
  for (const auto& name : *names) {
    if (name == recovered) {
      subscription.endings = true;
    } else if (const auto kind = parse_alarm_kind(name)) {
      subscription.kinds.insert(*kind);
    } else {
      section.fault("events",
                    fmt::format("\"{}\" is no event; known here: {}{}", name, known, recovered));
    }
  }
  if (subscription.kinds.empty()) {
    section.fault("events", fmt::format("must name what to tell of, of these: {}and {} for when it "
                                        "is over",
                                        known, recovered));
  }
}

class Unusable final : public Notifier {
 public:
  explicit Unusable(Error why) : why_(std::move(why)) {}

  Task<Status> send(Notice) override { co_return fail(why_); }
  Task<Status> check() override { co_return fail(why_); }
  // All at once, so that what fails is one attempt.
  std::size_t most_at_once() const override { return 100'000; }

 private:
  Error why_;
};

}  // namespace

std::vector<std::string> notifier_types() {
  std::vector<std::string> names;
  names.reserve(types.size());
  for (const auto& type : types) names.emplace_back(type.name);
  return names;
}

ReadNotifier read_notifier(NotifierName name, std::string_view type, config::Section& section,
                           const std::filesystem::path& folder) {
  ReadNotifier read;
  read.subscription.notifier = std::move(name);
  read_events(section, read.subscription);
  const auto* const found = std::ranges::find(types, type, &Type::name);
  if (found != types.end()) read.section = found->read(section, folder);
  return read;
}

std::unique_ptr<Notifier> make_unusable(Error why) {
  return std::make_unique<Unusable>(std::move(why));
}

}  // namespace certherd::notify
