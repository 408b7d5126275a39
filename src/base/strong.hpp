#pragma once

#include <fmt/format.h>

#include <compare>
#include <string>
#include <utility>

namespace certherd {

/// A string that cannot be taken for another kind of string: `using ZoneId = Strong<struct
/// ZoneIdTag>`.
template <typename Tag>
class Strong {
 public:
  Strong() = default;
  explicit Strong(std::string text) : text_(std::move(text)) {}

  const std::string& text() const { return text_; }
  bool empty() const { return text_.empty(); }

  auto operator<=>(const Strong&) const = default;
  bool operator==(const Strong&) const = default;

 private:
  std::string text_;
};

}  // namespace certherd

template <typename Tag>
struct fmt::formatter<certherd::Strong<Tag>> : fmt::formatter<std::string_view> {
  auto format(const certherd::Strong<Tag>& value, fmt::format_context& context) const {
    return fmt::formatter<std::string_view>::format(value.text(), context);
  }
};
