// Products of small dense matrices, tile by tile in registers; inlined into kernels that have one
// factor in cache.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>

#include "graphopt/support/vector_math.hpp"

namespace graphopt {

// The right factor and the result have rows padded to whole vectors of the widest kind, so that
// their layout does not depend on the instruction set.
template <class Real>
constexpr std::size_t padded_width(std::size_t width) {
    constexpr std::size_t lanes = simd_bytes / sizeof(Real);
    return (width + lanes - 1) / lanes * lanes;
}

// Memory for such matrices, on line boundaries and not initialised.
template <class Real>
class Lines {
    using Element = Line<std::conditional_t<std::is_same_v<Real, float>, float32x16, float64x8>>;

  public:
    explicit Lines(std::size_t count)
        : lines_(std::make_unique_for_overwrite<Element[]>(padded_width<Real>(count) *
                                                           sizeof(Real) / simd_bytes)) {}
    Real* data() { return reinterpret_cast<Real*>(lines_.get()); }

  private:
    std::unique_ptr<Element[]> lines_;
};

// A left factor: element (row, step) at first[row * row_stride + step * step_stride].
template <class Real>
struct LeftFactor {
    const Real* first;
    std::size_t row_stride;
    std::size_t step_stride;
};

template <class S, std::size_t Rows, std::size_t Vectors, bool add>
GRAPHOPT_ALWAYS_INLINE void product_tile(LeftFactor<ScalarOf<S>> a, std::size_t steps,
                                         const ScalarOf<S>* b, std::size_t stride,
                                         ScalarOf<S>* out) {
    VectorOf<S> sums[Rows][Vectors] = {};
    for (std::size_t t = 0; t < steps; ++t) {
        VectorOf<S> right[Vectors];
#pragma GCC unroll 4
        for (std::size_t v = 0; v < Vectors; ++v) right[v] = load<S>(b + t * stride + v * S::lanes);
#pragma GCC unroll 6
        for (std::size_t r = 0; r < Rows; ++r) {
            const ScalarOf<S> left = a.first[r * a.row_stride + t * a.step_stride];
#pragma GCC unroll 4
            for (std::size_t v = 0; v < Vectors; ++v) sums[r][v] += left * right[v];
        }
    }
#pragma GCC unroll 6
    for (std::size_t r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
        for (std::size_t v = 0; v < Vectors; ++v) {
            ScalarOf<S>* const to = out + r * stride + v * S::lanes;
            store<S>(to, add ? load<S>(to) + sums[r][v] : sums[r][v]);
        }
    }
}

template <class S, std::size_t Vectors, bool add>
GRAPHOPT_ALWAYS_INLINE void product_columns(LeftFactor<ScalarOf<S>> a, std::size_t rows,
                                            std::size_t steps, const ScalarOf<S>* b,
                                            std::size_t stride, ScalarOf<S>* out) {
    std::size_t r = 0;
    const auto below = [&](std::size_t row) __attribute__((always_inline)) {
        return LeftFactor<ScalarOf<S>>{a.first + row * a.row_stride, a.row_stride, a.step_stride};
    };
    for (; r + 6 <= rows; r += 6) {
        product_tile<S, 6, Vectors, add>(below(r), steps, b, stride, out + r * stride);
    }
    if (r + 4 <= rows) {
        product_tile<S, 4, Vectors, add>(below(r), steps, b, stride, out + r * stride);
        r += 4;
    }
    if (r + 2 <= rows) {
        product_tile<S, 2, Vectors, add>(below(r), steps, b, stride, out + r * stride);
        r += 2;
    }
    if (r < rows) product_tile<S, 1, Vectors, add>(below(r), steps, b, stride, out + r * stride);
}

// out = a b, or out += a b: rows x `stride` columns, of which `stride` is a padded width.
template <class S, bool add>
GRAPHOPT_ALWAYS_INLINE void product(LeftFactor<ScalarOf<S>> a, std::size_t rows, std::size_t steps,
                                    const ScalarOf<S>* b, std::size_t stride, ScalarOf<S>* out) {
    // With 32 registers of 64 bytes a tile is 6 x 4 vectors, with 16 narrower ones 6 x 2.
    constexpr std::size_t vectors = S::bytes == 64 ? 4 : 2;
    std::size_t column = 0;
    for (; column + vectors * S::lanes <= stride; column += vectors * S::lanes) {
        product_columns<S, vectors, add>(a, rows, steps, b + column, stride, out + column);
    }
    for (; column < stride; column += S::lanes) {
        product_columns<S, 1, add>(a, rows, steps, b + column, stride, out + column);
    }
}

}  // namespace graphopt
