#pragma once

#include "base/problem.hpp"
#include "base/result.hpp"
#include "store/codec.hpp"

namespace certherd::store::codec {

template <>
struct Codec<Error::Kind> : NamedCodec<Error::Kind, to_string, parse_error_kind> {};

template <>
struct Members<Problem::Subproblem> {
  static void each(auto& object, auto&& visit) {
    visit("type", object.type);
    visit("detail", object.detail);
    visit("identifier", object.identifier);
  }
};

template <>
struct Members<Problem> {
  static void each(auto& object, auto&& visit) {
    visit("type", object.type);
    visit("title", object.title);
    visit("detail", object.detail);
    visit("status", object.status);
    visit("instance", object.instance);
    visit("subproblems", object.subproblems);
  }
};

template <>
struct Members<Error> {
  static void each(auto& object, auto&& visit) {
    visit("kind", object.kind);
    visit("op", object.op);
    visit("detail", object.detail);
    visit("retry_at", object.retry_at);
    visit("problem", object.problem);
    visit("causes", object.causes);
  }
};

}  // namespace certherd::store::codec
