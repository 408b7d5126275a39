#pragma once

#include <map>
#include <vector>

#include "notify/notifier.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/wakeup.hpp"
#include "store/store.hpp"

namespace certherd::notify {

/// Sends what the store holds for notifiers. Each notifier has its own pace: one that hangs or
/// fails holds up nobody else, and what is for it waits in the store, for a day at most. What comes
/// together goes as one message. A message whose answer was lost is sent again, so each thing is
/// told at least once. Used on the loop.
class Delivery {
 public:
  struct Options {
    /// How long others leave alone what is being sent; more than Notifier::send() may take. So
    /// long waits, too, what a process was sending when it died.
    Duration keep = std::chrono::minutes(5);
    /// Between two messages to one notifier, so that a bad day does not fill a mailbox.
    Duration gap = std::chrono::minutes(5);
    /// How long what another process has left may go unseen.
    Duration look_anew = std::chrono::minutes(5);
    Duration give_up_after = std::chrono::hours(24);
  };

  /// All of them outlive it.
  Delivery(runtime::EventLoop& loop, store::Store& store,
           std::map<NotifierName, Notifier*> notifiers)
      : Delivery(loop, store, std::move(notifiers), Options()) {}
  Delivery(runtime::EventLoop& loop, store::Store& store,
           std::map<NotifierName, Notifier*> notifiers, Options options)
      : clock_(loop.clock()),
        store_(store),
        notifiers_(std::move(notifiers)),
        options_(options),
        wakeup_(loop) {}

  /// Works until it is cancelled; without notifiers it has an end at once. What goes wrong is
  /// logged and tried again. Several processes may do this for one store.
  Task<void> run();

  /// There is something new to send.
  void wake();

 private:
  Task<void> serve(NotifierName name, Notifier* notifier);
  Task<Status> tell(NotifierName name, Notifier* notifier, Time* not_before,
                    std::vector<NotificationId>* sent);
  Task<Status> put_off(NotifierName name, std::vector<NotificationId> notifications, int attempts,
                       Error error);
  Task<void> finish(std::vector<NotificationId>* sent, Status* status);

  runtime::Clock& clock_;
  store::Store& store_;
  std::map<NotifierName, Notifier*> notifiers_;
  Options options_;
  runtime::Wakeup wakeup_;
  int woken_ = 0;  // a wakeup that comes while nobody waits would be lost
};

/// How long a notifier is left alone that has failed `failures` (>= 1) times in a row: 1, 5 and 30
/// minutes, then an hour.
Duration pause_after(int failures);

}  // namespace certherd::notify
