#include "sim/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

namespace certherd::sim {
namespace {

namespace json = boost::json;

constexpr double seconds_per_day = 86'400;

double days_of(Duration duration) {
  return std::chrono::duration<double, std::ratio<86'400>>(duration).count();
}

json::object of_recall(const Recalled& recalled) {
  json::object object = {{"at", format_time(recalled.at)},
                         {"certificates", recalled.certificates},
                         {"replaced_in_time", recalled.in_time}};
  object["replaced_by_hour"] = json::value_from(recalled.by_hour);
  if (recalled.last) object["last_after_seconds"] = recalled.last->count() / 1'000'000;
  return object;
}

/// One of the drawing's panels: bars or a line over the days, and where a limit is.
class Panel {
 public:
  static constexpr double width = 860;
  static constexpr double height = 150;
  static constexpr double left = 70;

  Panel(std::string title, double top, std::size_t days, double most)
      : title_(std::move(title)),
        top_(top),
        days_(std::max<std::size_t>(days, 1)),
        most_(most > 0 ? most : 1) {
    text_ = fmt::format(
        "<text class=\"title\" x=\"{}\" y=\"{}\">{}</text>\n"
        "<rect class=\"frame\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\n"
        "<text class=\"scale\" x=\"{}\" y=\"{}\">{:.4g}</text>\n"
        "<text class=\"scale\" x=\"{}\" y=\"{}\">0</text>\n",
        left, top - 8, title_, left, top, width, height, left - 6, top + 10, most_, left - 6,
        top + height);
  }

  void bars(const std::vector<double>& values) {
    const double step = width / static_cast<double>(days_);
    std::string path;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (values[i] <= 0) continue;
      path += fmt::format("M{:.1f} {:.1f}V{:.1f}", x(i) + step / 2, top_ + height, y(values[i]));
    }
    text_ += fmt::format("<path class=\"bars\" stroke-width=\"{:.2f}\" d=\"{}\"/>\n",
                         std::max(0.6, step * 0.8), path);
  }
  void line(const std::vector<double>& values) {
    std::string points;
    for (std::size_t i = 0; i < values.size(); ++i) {
      points += fmt::format("{:.1f},{:.1f} ", x(i), y(values[i]));
    }
    text_ += fmt::format("<polyline class=\"line\" points=\"{}\"/>\n", points);
  }
  void limit(double value, std::string_view words) {
    if (value > most_) return;
    text_ += fmt::format(
        "<path class=\"limit\" d=\"M{} {:.1f}h{}\"/><text class=\"note\" x=\"{}\" "
        "y=\"{:.1f}\">{}</text>\n",
        left, y(value), width, left + 6, y(value) - 4, words);
  }
  const std::string& text() const { return text_; }

 private:
  double x(std::size_t day) const {
    return left + width * static_cast<double>(day) / static_cast<double>(days_);
  }
  double y(double value) const { return top_ + height - height * std::min(value, most_) / most_; }

  std::string title_;
  double top_;
  std::size_t days_;
  double most_;
  std::string text_;
};

}  // namespace

std::optional<double> orders_per_day(const Scenario& scenario) {
  const auto rate = scenario.limits.rates.find(policy::CaLimit::new_orders);
  if (rate == scenario.limits.rates.end()) return std::nullopt;
  return rate->second.per_second() * seconds_per_day;
}

std::string command_of(const Scenario& scenario, const std::string& file) {
  return fmt::format(
      "certherd simulate --scenario {} --domains {} --days {:.0f} --seed {}{}",
      file.empty() ? scenario.name : file, scenario.domains, days_of(scenario.span), scenario.seed,
      scenario.store == Scenario::Keeping::sqlite ? " --store sqlite" : " --store memory");
}

json::object document_of(const Outcome& outcome) {
  const auto& scenario = outcome.scenario;
  json::object document = {
      {"scenario", scenario.name},
      {"domains", scenario.domains},
      {"days", days_of(scenario.span)},
      {"seed", scenario.seed},
      {"certificates", outcome.certificates},
      {"renewals", outcome.renewals},
      {"polls", outcome.polls},
      {"probes", outcome.probes},
      {"journal_writes", outcome.journal_writes},
      {"route53_calls", outcome.route53_calls},
      {"kills", outcome.kills},
      {"outages", outcome.outages},
      {"broken_domains", outcome.broken_sites},
      {"inventory_changes", outcome.inventory_changes},
      {"freezes", outcome.freezes},
      {"wrong_clocks", outcome.wrong_clocks},
      {"least_lifetime_left", outcome.least_margin},
      {"mean_lifetime_left", outcome.mean_margin},
      {"seconds", outcome.seconds},
      {"peak_memory", outcome.peak_memory},
  };
  if (outcome.all_served_after) {
    document["all_served_after_days"] = days_of(*outcome.all_served_after);
  }
  if (!outcome.log.empty()) document["log_sha256"] = outcome.log;
  json::array recalls;
  for (const auto& recalled : outcome.recalls) recalls.push_back(of_recall(recalled));
  document["recalls"] = std::move(recalls);
  json::array each_day;
  for (const auto& day : outcome.days) {
    each_day.push_back({{"issued", day.issued},
                        {"route53_calls", day.calls},
                        {"without_certificate", day.without},
                        {"least_lifetime_left", day.least_left}});
  }
  document["each_day"] = std::move(each_day);
  document["broken_promises"] = json::value_from(outcome.broken);
  return document;
}

std::string drawing_of(const Outcome& outcome) {
  const auto& scenario = outcome.scenario;
  std::vector<double> issued;
  std::vector<double> calls;
  std::vector<double> left;
  for (const auto& day : outcome.days) {
    issued.push_back(day.issued);
    calls.push_back(static_cast<double>(day.calls));
    left.push_back(100 * std::max(0.0, day.least_left));
  }
  const auto largest = [](const std::vector<double>& values) {
    return values.empty() ? 1.0 : std::ranges::max(values);
  };
  const auto orders = orders_per_day(scenario);
  double most_issued = largest(issued);
  if (orders && !scenario.established) most_issued = std::max(most_issued, *orders);
  const double calls_a_day = scenario.calls_per_second * seconds_per_day;
  double most_calls = largest(calls);
  if (most_calls > calls_a_day / 4) most_calls = std::max(most_calls, calls_a_day);

  constexpr double first = 70;
  constexpr double apart = 205;
  Panel certificates("certificates a day", first, issued.size(), most_issued * 1.05);
  certificates.bars(issued);
  if (orders) {
    certificates.limit(*orders,
                       fmt::format("the CA lets {:.0f} be new a day; renewals are free", *orders));
  }
  Panel route53("calls of Route 53 a day", first + apart, calls.size(), most_calls * 1.05);
  route53.bars(calls);
  route53.limit(calls_a_day, fmt::format("{:g} a second", scenario.calls_per_second));
  Panel margin("of its lifetime, the certificate that has the least has left (%)",
               first + 2 * apart, left.size(), 100);
  margin.line(left);
  constexpr double third = 100.0 / 3;
  margin.limit(third, "a third");

  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 960 {}\" "
      "font-family=\"sans-serif\" font-size=\"12\">\n"
      "<style>.title{{font-weight:bold}}.frame{{fill:#f8f8f6;stroke:#bbb}}.scale{{text-anchor:end;"
      "fill:#555}}.bars{{stroke:#2b6cb0;fill:none}}.line{{stroke:#2b6cb0;fill:none;"
      "stroke-width:1.5}}.limit{{stroke:#c05621;stroke-dasharray:5 4}}.note{{fill:#c05621}}"
      "</style>\n"
      "<text font-size=\"16\" x=\"70\" y=\"28\">{} domains, {:.0f} days, scenario {}, seed "
      "{}</text>"
      "\n{}{}{}<text class=\"scale\" x=\"930\" y=\"{}\">day {}</text>\n</svg>\n",
      first + 3 * apart, scenario.domains, days_of(scenario.span), scenario.name, scenario.seed,
      certificates.text(), route53.text(), margin.text(), first + 3 * apart - 38,
      outcome.days.size());
}

}  // namespace certherd::sim
