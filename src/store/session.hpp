#pragma once

#include <soci/soci.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace certherd::store {

/// A statement without parameters.
struct Fixed {
  soci::statement statement;

  Fixed(soci::session& sql, std::string_view text) : statement((sql.prepare << text)) {}
};

/// A connection to the database, with the statements that were made ready on it: to parse one takes
/// longer than to carry it out, and SOCI by itself does so each time. Used by one thread at a time.
class Session : public soci::session {
 public:
  using soci::session::session;

  /// Executes a text that has no parameters and gives no rows. Throws soci::soci_error.
  void execute(std::string_view text) { prepared<Fixed>(text).statement.execute(true); }

  /// The statement of that type, and of that variant where it has several: made ready at its first
  /// use as Statement(session) or Statement(session, variant). It holds what it is executed with,
  /// and has to be read to its end, or SQLite goes on reading for it. Throws soci::soci_error.
  template <typename Statement>
  Statement& prepared() {
    return find<Statement>({}, [this] { return std::make_shared<Statement>(*this); });
  }
  template <typename Statement>
  Statement& prepared(std::string_view variant) {
    return find<Statement>(variant,
                           [&, this] { return std::make_shared<Statement>(*this, variant); });
  }

 private:
  // Tells types apart. Their type_info would not: those of one name in the unnamed namespaces of
  // two files are the same to it.
  template <typename Statement>
  static inline const char tag_of = 0;

  template <typename Statement, typename Make>
  Statement& find(std::string_view variant, const Make& make) {
    auto& variants = prepared_[&tag_of<Statement>];
    auto kept = variants.find(variant);
    if (kept == variants.end()) kept = variants.emplace(variant, make()).first;
    return *static_cast<Statement*>(kept->second.get());
  }

  // By type and variant; gone before the connection is closed.
  std::map<const void*, std::map<std::string, std::shared_ptr<void>, std::less<>>> prepared_;
};

}  // namespace certherd::store
