#include "aws/words.hpp"

namespace certherd::aws {

Result<std::vector<std::string>> split_words(std::string_view line) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = '\0';
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    const bool has_next = i + 1 < line.size();
    if (quote == '\'' && c != '\'') {
      word += c;
    } else if (c == quote && quote != '\0') {
      quote = '\0';
    } else if (quote == '"') {
      // POSIX shell command language, section 2.2.3.
      constexpr std::string_view escapable = "\"\\$`";
      const bool escapes =
          c == '\\' && has_next && escapable.find(line[i + 1]) != std::string_view::npos;
      word += escapes ? line[++i] : c;
    } else if (c == '\'' || c == '"') {
      quote = c;
      in_word = true;
    } else if (c == '\\' && has_next) {
      word += line[++i];
      in_word = true;
    } else if (c == ' ' || c == '\t' || c == '\n') {
      if (in_word) words.push_back(std::move(word));
      word.clear();
      in_word = false;
    } else {
      word += c;
      in_word = true;
    }
  }
  if (quote != '\0') {
    return fail(Error::Kind::misconfigured, "read a command line", "a quote is not closed in it");
  }
  if (in_word) words.push_back(std::move(word));
  return words;
}

}  // namespace certherd::aws
