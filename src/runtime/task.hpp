#pragma once

#include <boost/asio/awaitable.hpp>

namespace certherd {

/// A coroutine of the loop thread. Parameters by value; services only as members.
///
/// Cancellation: Asio by default lets every `co_await` of a cancelled coroutine throw, which would
/// skip its clean-up. Tasks of this program (all are started by runtime) instead run on and throw
/// boost::system::system_error(operation_aborted) at the wait they are in and at every later one:
/// clocks, wakeups, finished_by(), processes, HTTP. runtime::shielded(), TaskGroup::join() and
/// is_cancelled() do not throw for it. A wait built on a bare Asio operation calls
/// runtime::cancellation_point() first.
template <typename T>
using Task = boost::asio::awaitable<T>;

}  // namespace certherd
