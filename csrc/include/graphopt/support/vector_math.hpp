// Whole-vector arithmetic for kernels: loads, lane reductions and an exponential. Everything here
// is inlined into a GRAPHOPT_MULTIVERSION_FN and compiled for its instruction set.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <type_traits>

#include "graphopt/support/simd.hpp"

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

// For a vector of several uses: without it GCC makes a memory operand of each, and loads, of which
// a processor does two at a time, then hold up the arithmetic.
template <class S>
GRAPHOPT_ALWAYS_INLINE VectorOf<S> loaded_once(const ScalarOf<S>* from) {
    VectorOf<S> value = load<S>(from);
#if defined(__x86_64__)
    __asm__("" : "+v"(value));
#endif
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

// True if a bit is set. Halves are joined, since compilers take vectors apart lane by lane.
GRAPHOPT_ALWAYS_INLINE bool any(const uint64x8& bits) {
    typedef unsigned long long uint64x4 __attribute__((vector_size(32)));
    typedef unsigned long long uint64x2 __attribute__((vector_size(16)));
    uint64x4 halves[2];
    std::memcpy(halves, &bits, sizeof bits);
    halves[0] |= halves[1];
    uint64x2 quarters[2];
    std::memcpy(quarters, halves, sizeof quarters);
    quarters[0] |= quarters[1];
    return (quarters[0][0] | quarters[0][1]) != 0;
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

// Constants of 2^x: 1.5 * 2^mantissa, which rounds what it is added to to an integer and leaves
// that integer in the low bits; the argument below which the result is flushed to zero (that of
// e^-80 and e^-700), so early that a quotient by the result can neither overflow nor lose digits;
// and polynomials 1 + f (c_1 + f (c_2 + ...)) of least relative error on |f| <= 1/2: 2.6e-9
// and 1.8e-17.
template <class T>
struct Exp2Constants;

template <>
struct Exp2Constants<float> {
    static constexpr float rounder = 0x1.8p+23f;
    static constexpr float flush_below = -115.41560f;
    static constexpr int mantissa_bits = 23;
    static constexpr int exponent_bias = 127;
    static constexpr float series[] = {0x1.62e430p-1f, 0x1.ebfbe0p-3f,  0x1.c6aeccp-5f,
                                       0x1.3b2a1cp-7f, 0x1.5f48c0p-10f, 0x1.444000p-13f};
};

template <>
struct Exp2Constants<double> {
    static constexpr double rounder = 0x1.8p+52;
    static constexpr double flush_below = -1009.8865286222744;
    static constexpr int mantissa_bits = 52;
    static constexpr int exponent_bias = 1023;
    static constexpr double series[] = {
        0x1.62e42fefa39f3p-1,  0x1.ebfbdff82c598p-3,  0x1.c6b08d7048f31p-5,  0x1.3b2ab6fba1e1cp-7,
        0x1.5d87fe7bbbe09p-10, 0x1.43091309610fcp-13, 0x1.ffcbee3b0a61cp-17, 0x1.62bfd49ededd3p-20,
        0x1.b54167a1b0034p-24, 0x1.e605f964b639dp-28, 0x1.c063841f3a21dp-32};
};

// 2^x for x <= 0, within 2 units in the last place; 0 below `flush_below` (and at -infinity); NaN
// stays NaN. x = n + f with n an integer and |f| <= 1/2.
template <class S>
GRAPHOPT_ALWAYS_INLINE VectorOf<S> exp2_nonpositive(VectorOf<S> x) {
    using Vector = VectorOf<S>;
    using T = ScalarOf<S>;
    using C = Exp2Constants<T>;
    using Word = typename S::Word;
    constexpr int degree = static_cast<int>(std::size(C::series));
    const Vector shifted = x + C::rounder;
    const Vector f = x - (shifted - C::rounder);
    Vector series = broadcast<S>(C::series[degree - 1]);
#pragma GCC unroll 16
    for (int i = degree - 2; i >= 0; --i) series = series * f + C::series[i];
    series = series * f + T{1};
    typename S::Integer bits;
    std::memcpy(&bits, &shifted, sizeof bits);
    bits = (bits + static_cast<Word>(C::exponent_bias)) << static_cast<Word>(C::mantissa_bits);
    Vector power;
    std::memcpy(&power, &bits, sizeof power);
    return x < C::flush_below ? Vector{} : series * power;
}

}  // namespace graphopt
