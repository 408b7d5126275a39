#pragma once

#include <boost/json/serialize.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace certherd::store::codec {

/// A JSON text while it is written, straight from what it tells: a document of Boost.JSON in
/// between would look for a member of the same name at each that is added. Strings are written by
/// Boost.JSON.
class Writer {
 public:
  void null() { add("null"); }
  void boolean(bool value) { add(value ? "true" : "false"); }
  void number(std::int64_t value) { add(std::to_string(value)); }
  void string(std::string_view value) { add(boost::json::serialize(value)); }

  /// A member of the object that was begun last; its value comes next.
  void member(std::string_view name) {
    string(name);
    text_ += ':';
    is_first_ = true;
  }

  void begin_object() { begin('{'); }
  void end_object() { end('}'); }
  void begin_list() { begin('['); }
  void end_list() { end(']'); }

  /// What was written; the writer is empty then.
  std::string take() { return std::exchange(text_, {}); }

 private:
  // What follows a name or an opening bracket needs no comma.
  void separate() {
    if (!is_first_) text_ += ',';
    is_first_ = false;
  }
  void add(std::string_view value) {
    separate();
    text_ += value;
  }
  void begin(char bracket) {
    separate();
    text_ += bracket;
    is_first_ = true;
  }
  void end(char bracket) {
    text_ += bracket;
    is_first_ = false;
  }

  std::string text_;
  bool is_first_ = true;
};

}  // namespace certherd::store::codec
