// Random numbers for tests.
#pragma once

#include <cstddef>
#include <vector>

#include "graphopt/support/random.hpp"

namespace graphopt {

// From -0.5 to 0.5.
template <class Real>
std::vector<Real> draw(std::size_t size, std::uint64_t seed) {
    SplitMix64 random(seed);
    std::vector<Real> values(size);
    for (Real& value : values) value = static_cast<Real>(random.uniform() - 0.5);
    return values;
}

}  // namespace graphopt
