#include "app/notifiers.hpp"

#include <fmt/format.h>

#include "app/version.hpp"

namespace certherd::app {

std::map<NotifierName, notify::Notifier*> Notifiers::by_name() const {
  std::map<NotifierName, notify::Notifier*> found;
  for (const auto& [name, notifier] : opened) found.emplace(name, notifier.get());
  return found;
}

Notifiers open_notifiers(const Config& config, runtime::EventLoop& loop,
                         runtime::Offload& offload) {
  const notify::Surroundings surroundings{
      .loop = loop, .offload = offload, .user_agent = user_agent()};
  Notifiers notifiers;
  for (const auto& [name, read] : config.notifiers) {
    auto opened = read.section->open(surroundings);
    notifiers.opened[name] =
        opened ? std::move(*opened)
               : notify::make_unusable(
                     std::move(opened.error()).during(fmt::format("open [notify.{}]", name)));
    notifiers.subscriptions.push_back(read.subscription);
  }
  return notifiers;
}

Task<std::vector<std::pair<std::string, Status>>> check_notifiers(const Notifiers* notifiers) {
  std::vector<std::pair<std::string, Status>> findings;
  for (const auto& [name, notifier] : notifiers->opened) {
    auto status = co_await notifier->check();
    findings.emplace_back(fmt::format("notify.{}", name), std::move(status));
  }
  co_return findings;
}

}  // namespace certherd::app
