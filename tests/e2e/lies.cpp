#include "lies.hpp"

namespace certherd::e2e {

CaAnswer endless(const std::string& content_type, std::string bytes) {
  CaAnswer answer;
  set_header(answer, "Content-Type", content_type);
  answer.more = [bytes = std::move(bytes)] { return bytes; };
  return answer;
}

std::string nested_json(int depth) {
  const auto size = static_cast<std::size_t>(depth);
  return std::string(size, '[') + std::string(size, ']');
}

std::function<CaAnswer(const CaProxy::Forward&)> edited(
    std::function<void(boost::json::object&)> change) {
  return [change = std::move(change)](const CaProxy::Forward& forward) {
    auto answer = forward();
    edit(answer, change);
    return answer;
  };
}

std::function<CaAnswer(const CaProxy::Forward&)> replaced(std::string content_type,
                                                          std::string body) {
  return [type = std::move(content_type), body = std::move(body)](const CaProxy::Forward& forward) {
    auto answer = forward();
    set_header(answer, "Content-Type", type);
    answer.body = body;
    return answer;
  };
}

}  // namespace certherd::e2e
