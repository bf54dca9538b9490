// The lists of element_types.hpp as GoogleTest wants them.
#pragma once

#include <gtest/gtest.h>

#include "graphopt/support/element_types.hpp"

namespace graphopt {

template <class, class... T>
using TypesAfterFirst = ::testing::Types<T...>;

#define GRAPHOPT_APPEND(type) , type
using Reals = TypesAfterFirst<void GRAPHOPT_FOR_REALS(GRAPHOPT_APPEND)>;
using Distances = TypesAfterFirst<void GRAPHOPT_FOR_DISTANCES(GRAPHOPT_APPEND)>;
#undef GRAPHOPT_APPEND

}  // namespace graphopt
