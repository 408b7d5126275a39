#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ca_proxy.hpp"

namespace certherd::e2e {

/// What a CA says instead of the truth.
struct Lie {
  std::string name;    ///< for the tester
  CaRequest::Kind at;  ///< where it is told
  std::function<CaAnswer(const CaProxy::Forward& forward)> tell;
  std::string kind;                ///< of the error that has to follow
  std::vector<std::string> words;  ///< that have to stand in it
};

/// Gives `bytes` again and again for as long as the program reads.
CaAnswer endless(const std::string& content_type, std::string bytes);
/// `depth` arrays in one another.
std::string nested_json(int depth);
/// Forwards, and changes the JSON object in the answer.
std::function<CaAnswer(const CaProxy::Forward&)> edited(
    std::function<void(boost::json::object&)> change);
/// Forwards, and says `body` instead.
std::function<CaAnswer(const CaProxy::Forward&)> replaced(std::string content_type,
                                                          std::string body);

}  // namespace certherd::e2e
