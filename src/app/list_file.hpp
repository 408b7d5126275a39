#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include "base/result.hpp"

namespace certherd::app {

/// The largest list, in octets: a million of whatever it holds.
constexpr std::size_t list_limit = 64U << 20U;

/// What a list is for, in the words of its errors.
struct ListWords {
  std::string_view op;      ///< "read the hosts"
  std::string_view undone;  ///< what a bad line has kept from happening: "no host was looked at"
  std::string_view form;    ///< what should stand in it: "write one host a line"
};

/// Gives each line of a list to `take`. What follows a `#` is a comment; empty lines mean nothing.
/// The error is misconfigured with a cause for each line that `take` has refused, its op "line N";
/// a list without anything is an error too.
Status read_list(std::string_view text, const ListWords& words,
                 const std::function<Status(std::string_view)>& take);

}  // namespace certherd::app
