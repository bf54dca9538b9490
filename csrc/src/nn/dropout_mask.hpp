// The mask of dropout, a function of seed and position, for the kernels that drop as they go.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "graphopt/support/random.hpp"
#include "graphopt/support/simd.hpp"

namespace graphopt {

// Positions are hashed in 32 bits within stretches of this length, each with keys of its own.
// Large enough that a second thread is worth waking for one.
inline constexpr std::size_t dropout_stretch = std::size_t{1} << 16;

struct DropoutKeys {
    std::uint32_t in;
    std::uint32_t out;
};

inline DropoutKeys dropout_keys(std::uint64_t seed, std::size_t stretch) {
    const std::uint64_t word = SplitMix64(seed, stretch)();
    return {static_cast<std::uint32_t>(word), static_cast<std::uint32_t>(word >> 32)};
}

// Two multiplications and three shifts spread every bit of the position over the word; the keys
// make another function of it for every stretch of every seed.
GRAPHOPT_ALWAYS_INLINE std::uint32_t scrambled(std::uint32_t position, DropoutKeys keys) {
    std::uint32_t x = position + keys.in;
    x = (x ^ (x >> 16)) * 0x7FEB352DU;
    x = (x ^ (x >> 15)) * 0x846CA68BU;
    return (x ^ (x >> 16)) ^ keys.out;
}

// What is kept is scaled so that the mean stays.
template <class Real>
struct DropoutRule {
    std::uint32_t threshold;
    Real scale;

    explicit DropoutRule(double share)
        : threshold(static_cast<std::uint32_t>(share * 0x1p32)),
          scale(static_cast<Real>(1.0 / (1.0 - share))) {}
};

// `count` values from `position` on within one stretch.
template <class Real>
GRAPHOPT_ALWAYS_INLINE void drop(const Real* values, std::size_t position, std::size_t count,
                                 DropoutRule<Real> rule, DropoutKeys keys, Real* out) {
    for (std::size_t i = 0; i < count; ++i) {
        const bool kept =
            scrambled(static_cast<std::uint32_t>(position + i), keys) >= rule.threshold;
        out[i] = kept ? values[i] * rule.scale : Real{0};
    }
}

// Values [begin, begin + count) of an array, in place, whatever stretches they lie in.
template <class Real>
GRAPHOPT_ALWAYS_INLINE void drop_in_place(Real* values, std::size_t begin, std::size_t count,
                                          DropoutRule<Real> rule, std::uint64_t seed) {
    while (count > 0) {
        const std::size_t stretch = begin / dropout_stretch;
        const std::size_t position = begin % dropout_stretch;
        const std::size_t here = std::min(count, dropout_stretch - position);
        drop(values, position, here, rule, dropout_keys(seed, stretch), values);
        values += here;
        begin += here;
        count -= here;
    }
}

}  // namespace graphopt
