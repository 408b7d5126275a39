#include "http/method.hpp"

namespace certherd::http {

std::string_view to_string(Request::Method method) {
  switch (method) {
    case Request::Method::get:
      return "GET";
    case Request::Method::head:
      return "HEAD";
    case Request::Method::post:
      return "POST";
    case Request::Method::put:
      return "PUT";
    case Request::Method::patch:
      return "PATCH";
    case Request::Method::delete_:
      return "DELETE";
  }
  return "GET";
}

}  // namespace certherd::http
