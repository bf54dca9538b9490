// The number types that a matrix of distances comes in: hops as narrow as they fit, or lengths.
#pragma once

#include <cstdint>

namespace graphopt {

// Calls action.operator()<T>() for each of them, narrow before wide.
template <class Action>
void for_each_distance_type(const Action& action) {
    action.template operator()<std::uint8_t>();
    action.template operator()<std::uint16_t>();
    action.template operator()<std::uint32_t>();
    action.template operator()<float>();
    action.template operator()<double>();
}

}  // namespace graphopt
