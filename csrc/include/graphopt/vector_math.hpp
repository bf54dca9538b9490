// Whole-vector arithmetic for kernels: loads, lane reductions and an exponential. Everything here
// is inlined into a GRAPHOPT_MULTIVERSION_FN and compiled for its instruction set.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "graphopt/simd.hpp"

namespace graphopt {

// Vectors of `Bytes` bytes of T, and integers of the same shape. Functions take this description as
// their first template argument.
template <class T, std::size_t Bytes>
struct Simd {
    using Scalar = T;
    using Word = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
    typedef T Vector __attribute__((vector_size(Bytes)));
    typedef Word Integer __attribute__((vector_size(Bytes)));
    static constexpr std::size_t bytes = Bytes;
    static constexpr std::size_t lanes = Bytes / sizeof(T);
};

template <class S>
using VectorOf = typename S::Vector;

template <class S>
using ScalarOf = typename S::Scalar;

template <class S>
GRAPHOPT_ALWAYS_INLINE VectorOf<S> load(const ScalarOf<S>* from) {
    VectorOf<S> value;
    std::memcpy(&value, from, sizeof value);
    return value;
}

template <class S>
GRAPHOPT_ALWAYS_INLINE void store(ScalarOf<S>* to, VectorOf<S> value) {
    std::memcpy(to, &value, sizeof value);
}

template <class S>
GRAPHOPT_ALWAYS_INLINE VectorOf<S> broadcast(ScalarOf<S> value) {
    return value - VectorOf<S>{};
}

// Halves are added to halves, so the order is fixed and short.
template <class S>
GRAPHOPT_ALWAYS_INLINE ScalarOf<S> lane_sum(VectorOf<S> value) {
    ScalarOf<S> lanes[S::lanes];
    store<S>(lanes, value);
    for (std::size_t half = S::lanes / 2; half > 0; half /= 2) {
        for (std::size_t i = 0; i < half; ++i) lanes[i] += lanes[i + half];
    }
    return lanes[0];
}

template <class S>
GRAPHOPT_ALWAYS_INLINE ScalarOf<S> dot(const ScalarOf<S>* a, const ScalarOf<S>* b,
                                       std::size_t size) {
    VectorOf<S> sum{};
    std::size_t i = 0;
    for (; i + S::lanes <= size; i += S::lanes) sum += load<S>(a + i) * load<S>(b + i);
    ScalarOf<S> total = lane_sum<S>(sum);
    for (; i < size; ++i) total += a[i] * b[i];
    return total;
}

// Constants of exp: log2(e); ln 2 in two parts, the first short enough that its product with the
// exponent is exact; 1.5 * 2^mantissa, which rounds what it is added to to an integer and leaves
// that integer in the low bits; and the argument below which the result is flushed to zero, so
// early that a quotient by the result can neither overflow nor lose digits.
template <class T>
struct ExpConstants;

template <>
struct ExpConstants<float> {
    static constexpr float log2_e = 0x1.715476p+0f;
    static constexpr float ln2_high = 0x1.62e4p-1f;
    static constexpr float ln2_low = 0x1.7f7d1cp-20f;
    static constexpr float rounder = 0x1.8p+23f;
    static constexpr float flush_below = -80.0f;
    static constexpr int mantissa_bits = 23;
    static constexpr int exponent_bias = 127;
    static constexpr int degree = 7;
};

template <>
struct ExpConstants<double> {
    static constexpr double log2_e = 0x1.71547652b82fep+0;
    static constexpr double ln2_high = 0x1.62e42fefap-1;
    static constexpr double ln2_low = 0x1.cf79abc9e3b3ap-40;
    static constexpr double rounder = 0x1.8p+52;
    static constexpr double flush_below = -700.0;
    static constexpr int mantissa_bits = 52;
    static constexpr int exponent_bias = 1023;
    static constexpr int degree = 13;
};

// A table, so that an unrolled loop over it holds constants and no divisions.
inline constexpr auto inverse_factorials = [] {
    std::array<double, 16> values{1.0};
    for (std::size_t n = 1; n < values.size(); ++n) {
        values[n] = values[n - 1] / static_cast<double>(n);
    }
    return values;
}();

// e^x for x <= 0, within 2 units in the last place; 0 below `flush_below` (and at -infinity); NaN
// stays NaN. x = n ln 2 + r with |r| <= ln 2 / 2, and e^r by its Taylor series, whose remainder is
// below half a unit at the degree taken.
template <class S>
GRAPHOPT_ALWAYS_INLINE VectorOf<S> exp_nonpositive(VectorOf<S> x) {
    using Vector = VectorOf<S>;
    using T = ScalarOf<S>;
    using C = ExpConstants<T>;
    using Word = typename S::Word;
    const Vector shifted = x * C::log2_e + C::rounder;
    const Vector n = shifted - C::rounder;
    const Vector r = (x - n * C::ln2_high) - n * C::ln2_low;
    Vector series = broadcast<S>(static_cast<T>(inverse_factorials[C::degree]));
#pragma GCC unroll 16
    for (int i = C::degree - 1; i >= 0; --i) {
        series = series * r + static_cast<T>(inverse_factorials[static_cast<std::size_t>(i)]);
    }
    typename S::Integer bits;
    std::memcpy(&bits, &shifted, sizeof bits);
    bits = (bits + static_cast<Word>(C::exponent_bias)) << static_cast<Word>(C::mantissa_bits);
    Vector power;
    std::memcpy(&power, &bits, sizeof power);
    return x < C::flush_below ? Vector{} : series * power;
}

}  // namespace graphopt
