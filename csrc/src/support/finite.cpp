#include "graphopt/support/finite.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

#include "graphopt/support/interrupt.hpp"
#include "graphopt/support/simd.hpp"

namespace graphopt {
namespace {

constexpr std::size_t block_size = std::size_t{1} << 14;

// NaN and infinity are those whose exponent is all ones. Bits are compared, not numbers: that holds
// under every rounding mode and needs no comparison that a NaN makes false.
template <class Bits, class T>
GRAPHOPT_ALWAYS_INLINE bool block_body(const T* values, std::size_t size) {
    static_assert(sizeof(Bits) == sizeof(T) && std::numeric_limits<T>::is_iec559);
    constexpr int mantissa = std::numeric_limits<T>::digits - 1;
    constexpr Bits exponent = ((Bits{1} << (8 * sizeof(T) - 1)) - 1) >> mantissa << mantissa;
    Bits found = 0;
    for (std::size_t i = 0; i < size; ++i) {
        Bits bits;
        std::memcpy(&bits, values + i, sizeof bits);
        found |= static_cast<Bits>((bits & exponent) == exponent);
    }
    return found == 0;
}

GRAPHOPT_MULTIVERSION_FN bool block_is_finite(const float* values, std::size_t size) {
    return block_body<std::uint32_t>(values, size);
}
GRAPHOPT_MULTIVERSION_FN bool block_is_finite(const double* values, std::size_t size) {
    return block_body<std::uint64_t>(values, size);
}

template <class T>
bool blocks_are_finite(std::span<const T> values) {
    for (std::size_t begin = 0; begin < values.size(); begin += block_size) {
        const std::size_t size = std::min(block_size, values.size() - begin);
        if (!block_is_finite(values.data() + begin, size)) return false;
        count_work(size * sizeof(T) / 16);
    }
    return true;
}

}  // namespace

bool all_finite(std::span<const float> values) { return blocks_are_finite(values); }
bool all_finite(std::span<const double> values) { return blocks_are_finite(values); }

}  // namespace graphopt
