#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>

namespace certherd {

/// Overwrites the bytes in a way the compiler keeps.
void wipe(std::string& bytes);

/// A private key, token or password: wiped when it ends, printed as ***, never compared, and
/// readable only by saying reveal(), so that each use can be found.
template <typename T>
class Secret;

template <>
class Secret<std::string> {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  Secret(const Secret&) = default;
  // A moved-from short string keeps its bytes in place, hence the wipe.
  Secret(Secret&& other) noexcept : value_(std::move(other.value_)) { wipe(other.value_); }
  Secret& operator=(const Secret& other) {
    if (this != &other) {
      wipe(value_);
      value_ = other.value_;
    }
    return *this;
  }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      wipe(value_);
      value_ = std::move(other.value_);
      wipe(other.value_);
    }
    return *this;
  }
  ~Secret() { wipe(value_); }

  const std::string& reveal() const { return value_; }
  bool empty() const { return value_.empty(); }

  bool operator==(const Secret&) const = delete;

 private:
  std::string value_;
};

}  // namespace certherd

template <typename T>
struct fmt::formatter<certherd::Secret<T>> : fmt::formatter<std::string_view> {
  auto format(const certherd::Secret<T>&, fmt::format_context& context) const {
    return fmt::formatter<std::string_view>::format("***", context);
  }
};
