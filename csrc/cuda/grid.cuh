// What a launch needs to be told, and the type of elements as a type of C++.
#pragma once

#include <cstdint>

#include "../core/element.h"
#include "elements.cuh"

namespace ftcore {

struct Grid {
  int64_t blocks;
  int threads;
  int64_t shared_bytes;
};

// Calls action with an element of this type.
template <class Action>
void with_element(Element type, const Action& action) {
  switch (type) {
    case Element::f16:
      return action(Half{});
    case Element::bf16:
      return action(BFloat16{});
    case Element::f32:
      return action(float{});
    case Element::f64:
      return action(double{});
  }
}

}  // namespace ftcore
