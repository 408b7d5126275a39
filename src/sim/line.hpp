#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "runtime/clock.hpp"
#include "runtime/random.hpp"

namespace certherd::sim {

/// What happens at one exchange, counted over all lines that share this.
struct Strike {
  enum class Kind { breaks_before, breaks_after, kills_before, kills_after, drains };

  Kind kind = Kind::breaks_before;
  int at = 0;    ///< from 1 on
  int seen = 0;  ///< exchanges so far
  bool struck() const { return seen >= at; }
};

/// The way from the program to an outside system and back: it takes time, breaks before or after
/// the work on the other side was done, and is where the program is when it is killed. The same
/// for the same random numbers.
class Line {
 public:
  struct Options {
    Duration least = std::chrono::milliseconds(20);  ///< an exchange takes between these
    Duration most = std::chrono::milliseconds(200);
    double breaks_before = 0;  ///< of all exchanges, this share breaks off before its work
    double breaks_after = 0;   ///< and this one after it
    double kills = 0;          ///< and at this share the program is killed, before or after it
  };

  Line(runtime::Clock& clock, runtime::Random& random) : clock_(clock), random_(random) {}

  void set_options(const Options& options) { options_ = options; }
  const Options& options() const { return options_; }
  /// Nobody answers before that moment.
  void set_down_until(Time when) { down_until_ = when; }
  Time down_until() const { return down_until_; }
  /// Whom a kill is told to: it has to cancel all that goes on.
  void set_kill(std::function<void()> kill) { kill_ = std::move(kill); }

  /// Whom a drain is told to, see Strike.
  void set_drain(std::function<void()> drain) { drain_ = std::move(drain); }
  void set_strike(std::shared_ptr<Strike> strike) { strike_ = std::move(strike); }

  /// On the way there; an error: transient, and nothing was done.
  Task<std::optional<Error>> there(std::string op);
  /// On the way there with `count` requests at one time, which no strike counts, and at which the
  /// program is killed as at one: whether each breaks off, and nothing was done.
  Task<std::vector<bool>> there_together(std::size_t count);
  /// What who asks is told of that.
  Error fault(std::string op) const;
  /// On the way back; an error: transient, and all was done.
  Task<std::optional<Error>> back(std::string op);

  std::uint64_t exchanges() const { return exchanges_; }

 private:
  bool happens(double share) { return share > 0 && random_.fraction() < share; }
  Task<void> travel();
  /// Waits for the end.
  Task<void> die();

  runtime::Clock& clock_;
  runtime::Random& random_;
  Options options_;
  Time down_until_{};
  std::function<void()> kill_;
  std::function<void()> drain_;
  std::shared_ptr<Strike> strike_;
  bool strikes_back_ = false;  ///< it is the turn of the exchange that is on its way
  std::uint64_t exchanges_ = 0;
};

}  // namespace certherd::sim
