#pragma once

#include <fmt/format.h>

#include <array>
#include <boost/json.hpp>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "base/strong.hpp"
#include "base/time.hpp"
#include "model/endpoint.hpp"
#include "model/fqdn.hpp"
#include "store/codec_writer.hpp"

/// Between the model and the JSON texts of the store. Strict in both directions: a member that is
/// missing, unknown or of another type is an error, for a row must never lose what it holds. Only
/// members that were added later may be missing.
/// Included by the codec_*.cpp files only; the rest of the store uses their headers.
namespace certherd::store::codec {

/// Where and why decoding stopped; empty as long as all is well.
struct Fault {
  std::string text;

  bool at(std::string_view where, std::string_view what) {
    text = fmt::format("{}: {}", where, what);
    return false;
  }
  /// Puts an outer place before the inner ones, on the way out.
  bool within(std::string_view where) {
    text = fmt::format("{}{}{}", where, text.starts_with('[') ? "" : ".", text);
    return false;
  }
};

/// How a member is called, and whether rows may lack it.
struct MemberName {
  std::string_view text;
  bool added_later = false;

  consteval MemberName(const char* name) : text(name) {}  // NOLINT(google-explicit-constructor)
  consteval MemberName(const char* name, bool later) : text(name), added_later(later) {}
};

/// Of a member that came after rows had been written: one that lacks it keeps what T begins with.
consteval MemberName later(const char* name) { return {name, true}; }

/// Lists the members of T once for both directions: each(object, visit) calls
/// visit(name, object.member) for every one, or visit(later(name), object.member).
template <typename T>
struct Members;

/// encode(value, writer) and decode(json, value, fault). The general one takes the members of T.
template <typename T>
struct Codec {
  static void encode(const T& value, Writer& writer) {
    writer.begin_object();
    Members<T>::each(value, [&writer](MemberName name, const auto& member) {
      writer.member(name.text);
      Codec<std::remove_cvref_t<decltype(member)>>::encode(member, writer);
    });
    writer.end_object();
  }

  static bool decode(const boost::json::value& json, T& value, Fault& fault) {
    const auto* object = json.if_object();
    if (object == nullptr) return fault.at("value", "is no object");
    std::size_t known = 0;
    bool fine = true;
    const auto* next = object->begin();
    Members<T>::each(value, [&](MemberName name, auto& member) {
      if (!fine) return;
      // They are written in this order; only rows from before a member came lack some.
      const bool in_order = next != object->end() && next->key() == name.text;
      const auto* found = in_order ? &(next++)->value() : object->if_contains(name.text);
      if (found == nullptr) {
        fine = name.added_later || fault.at(name.text, "is missing");
        return;
      }
      ++known;
      if (!Codec<std::remove_cvref_t<decltype(member)>>::decode(*found, member, fault)) {
        fine = fault.within(name.text);
      }
    });
    if (fine && object->size() != known) return fault.at("value", "has unknown members");
    return fine;
  }
};

template <>
struct Codec<std::string> {
  static void encode(const std::string& value, Writer& writer) { writer.string(value); }
  static bool decode(const boost::json::value& json, std::string& value, Fault& fault) {
    const auto* text = json.if_string();
    if (text == nullptr) return fault.at("value", "is no text");
    value.assign(text->data(), text->size());
    return true;
  }
};

template <typename Tag>
struct Codec<Strong<Tag>> {
  static void encode(const Strong<Tag>& value, Writer& writer) { writer.string(value.text()); }
  static bool decode(const boost::json::value& json, Strong<Tag>& value, Fault& fault) {
    std::string text;
    if (!Codec<std::string>::decode(json, text, fault)) return false;
    value = Strong<Tag>(std::move(text));
    return true;
  }
};

template <>
struct Codec<Fqdn> {
  static void encode(const Fqdn& value, Writer& writer) { writer.string(value.text()); }
  static bool decode(const boost::json::value& json, Fqdn& value, Fault& fault);
  static bool decode(std::string_view text, Fqdn& value, Fault& fault);
};

template <>
struct Codec<Endpoint> {
  static void encode(const Endpoint& value, Writer& writer) { writer.string(value.text()); }
  static bool decode(const boost::json::value& json, Endpoint& value, Fault& fault);
};

template <>
struct Codec<bool> {
  static void encode(const bool& value, Writer& writer) { writer.boolean(value); }
  static bool decode(const boost::json::value& json, bool& value, Fault& fault) {
    const auto* found = json.if_bool();
    if (found == nullptr) return fault.at("value", "is neither true nor false");
    value = *found;
    return true;
  }
};

template <>
struct Codec<std::int64_t> {
  static void encode(const std::int64_t& value, Writer& writer) { writer.number(value); }
  static bool decode(const boost::json::value& json, std::int64_t& value, Fault& fault) {
    const auto* found = json.if_int64();
    if (found == nullptr) return fault.at("value", "is no whole number");
    value = *found;
    return true;
  }
};

template <>
struct Codec<int> {
  static void encode(const int& value, Writer& writer) { writer.number(value); }
  static bool decode(const boost::json::value& json, int& value, Fault& fault) {
    std::int64_t wide = 0;
    if (!Codec<std::int64_t>::decode(json, wide, fault)) return false;
    if (!std::in_range<int>(wide)) return fault.at("value", "is too large");
    value = static_cast<int>(wide);
    return true;
  }
};

template <>
struct Codec<Time> {
  static void encode(const Time& value, Writer& writer) { writer.number(to_micros(value)); }
  static bool decode(const boost::json::value& json, Time& value, Fault& fault) {
    std::int64_t micros = 0;
    if (!Codec<std::int64_t>::decode(json, micros, fault)) return false;
    value = from_micros(micros);
    return true;
  }
};

template <>
struct Codec<Duration> {
  static void encode(const Duration& value, Writer& writer) { writer.number(value.count()); }
  static bool decode(const boost::json::value& json, Duration& value, Fault& fault) {
    std::int64_t micros = 0;
    if (!Codec<std::int64_t>::decode(json, micros, fault)) return false;
    value = Duration(micros);
    return true;
  }
};

/// An enumeration by its names: derive Codec<E> from this.
template <typename E, std::string_view (*Name)(E), std::optional<E> (*Parse)(std::string_view)>
struct NamedCodec {
  static void encode(const E& value, Writer& writer) { writer.string(Name(value)); }
  static bool decode(const boost::json::value& json, E& value, Fault& fault) {
    const auto* text = json.if_string();
    const auto found = text == nullptr ? std::nullopt : Parse(*text);
    if (!found) return fault.at("value", "is no known name");
    value = *found;
    return true;
  }
};

template <typename T>
struct Codec<std::optional<T>> {
  static void encode(const std::optional<T>& value, Writer& writer) {
    if (value) {
      Codec<T>::encode(*value, writer);
    } else {
      writer.null();
    }
  }
  static bool decode(const boost::json::value& json, std::optional<T>& value, Fault& fault) {
    value.reset();
    return json.is_null() || Codec<T>::decode(json, value.emplace(), fault);
  }
};

template <typename T>
struct Codec<std::shared_ptr<const T>> {
  static void encode(const std::shared_ptr<const T>& value, Writer& writer) {
    if (value) {
      Codec<T>::encode(*value, writer);
    } else {
      writer.null();
    }
  }
  static bool decode(const boost::json::value& json, std::shared_ptr<const T>& value,
                     Fault& fault) {
    value.reset();
    if (json.is_null()) return true;
    auto decoded = std::make_shared<T>();
    if (!Codec<T>::decode(json, *decoded, fault)) return false;
    value = std::move(decoded);
    return true;
  }
};

template <typename T>
struct Codec<std::vector<T>> {
  static void encode(const std::vector<T>& values, Writer& writer) {
    writer.begin_list();
    for (const auto& value : values) Codec<T>::encode(value, writer);
    writer.end_list();
  }
  static bool decode(const boost::json::value& json, std::vector<T>& values, Fault& fault) {
    const auto* array = json.if_array();
    if (array == nullptr) return fault.at("value", "is no list");
    values.clear();
    values.reserve(array->size());
    for (const auto& element : *array) {
      if (!Codec<T>::decode(element, values.emplace_back(), fault)) {
        return fault.within(fmt::format("[{}]", values.size() - 1));
      }
    }
    return true;
  }
};

inline std::string_view key_text(const std::string& key) { return key; }
template <typename Tag>
std::string_view key_text(const Strong<Tag>& key) {
  return key.text();
}

template <typename Key, typename T>
struct Codec<std::map<Key, T>> {
  static void encode(const std::map<Key, T>& values, Writer& writer) {
    writer.begin_object();
    for (const auto& [key, value] : values) {
      writer.member(key_text(key));
      Codec<T>::encode(value, writer);
    }
    writer.end_object();
  }
  static bool decode(const boost::json::value& json, std::map<Key, T>& values, Fault& fault) {
    const auto* object = json.if_object();
    if (object == nullptr) return fault.at("value", "is no object");
    values.clear();
    for (const auto& [key, element] : *object) {
      if (!Codec<T>::decode(element, values[Key(std::string(key))], fault)) {
        return fault.within(std::string_view(key));
      }
    }
    return true;
  }
};

/// Where a document's parts are while it is read: together, and gone at once. Rows are read all the
/// time, and each part by itself would cost an allocation.
class Document {
 public:
  Document() : resource_(first_.data(), first_.size()) {}
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;
  ~Document() = default;

  boost::json::storage_ptr storage() { return &resource_; }

 private:
  std::array<unsigned char, 8192> first_;  // NOLINT(*-member-init): not read before it is written
  boost::json::monotonic_resource resource_;
};

/// Parses a stored text; the document has to outlive what it gives. Errors: rejected.
Result<boost::json::value> parse(std::string_view text, Document& document);

template <typename T>
std::string to_text(const T& value) {
  Writer writer;
  Codec<T>::encode(value, writer);
  return writer.take();
}

/// Errors: rejected, with the place inside the text.
template <typename T>
Result<T> from_text(std::string_view text) {
  Document document;
  auto json = parse(text, document);
  if (!json) return fail(std::move(json.error()));
  T value{};
  Fault fault;
  if (!Codec<T>::decode(*json, value, fault)) {
    return fail(Error::Kind::rejected, "", std::move(fault.text));
  }
  return value;
}

}  // namespace certherd::store::codec
