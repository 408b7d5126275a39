#pragma once

#include <boost/asio/awaitable.hpp>

namespace certherd {

/// A coroutine of the loop thread. Parameters by value; services only as members.
template <typename T>
using Task = boost::asio::awaitable<T>;

}  // namespace certherd
