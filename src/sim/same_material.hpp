#pragma once

#include "model/material.hpp"

namespace certherd::sim {

/// Secrets have no ==, so that none is compared carelessly; in a double nobody measures the time.
inline bool same_material(const Material& left, const Material& right) {
  return left.csr == right.csr && left.private_key.reveal() == right.private_key.reveal() &&
         left.fullchain == right.fullchain;
}

}  // namespace certherd::sim
