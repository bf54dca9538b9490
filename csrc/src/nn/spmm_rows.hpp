// One row of a sparse matrix times a dense matrix, sums kept in registers; inlined into the kernels
// that average over neighbours.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>

#include "graphopt/support/csr.hpp"
#include "graphopt/support/simd.hpp"

namespace graphopt {

// One 64-byte vector of columns, and the most of them whose sums stay in registers while a row's
// entries go by.
template <class Real>
struct Lanes;
template <>
struct Lanes<float> {
    using Vector = float32x16;
};
template <>
struct Lanes<double> {
    using Vector = float64x8;
};
template <class Real>
constexpr std::size_t lane_count = simd_bytes / sizeof(Real);
constexpr std::size_t max_row_vectors = 4;

// What becomes of a row's sums.
enum class Finish { keep, rectify };

// `last` + one vector columns, of which the last vector may overlap the one before, whose sums it
// repeats.
template <std::size_t Vectors, Finish finish, class Real>
GRAPHOPT_ALWAYS_INLINE void multiply_row_vectors(std::span<const NodeId> indices,
                                                 const Real* values, const Real* dense,
                                                 std::size_t stride, const Real* start,
                                                 std::size_t last, Real* out) {
    using Vector = typename Lanes<Real>::Vector;
    constexpr std::size_t lanes = lane_count<Real>;
    Vector sums[Vectors] = {};
    if (start != nullptr) {
        for (std::size_t v = 0; v < Vectors; ++v) {
            std::memcpy(&sums[v], start + (v + 1 < Vectors ? v * lanes : last), simd_bytes);
        }
    }
    for (std::size_t e = 0; e < indices.size(); ++e) {
        const Real value = values[e];
        const Real* const source = dense + static_cast<std::size_t>(indices[e]) * stride;
        for (std::size_t v = 0; v < Vectors; ++v) {
            Vector loaded;
            std::memcpy(&loaded, source + (v + 1 < Vectors ? v * lanes : last), simd_bytes);
            sums[v] += value * loaded;
        }
    }
    for (std::size_t v = 0; v < Vectors; ++v) {
        if constexpr (finish == Finish::rectify) sums[v] = sums[v] <= Real{0} ? Vector{} : sums[v];
        std::memcpy(out + (v + 1 < Vectors ? v * lanes : last), &sums[v], simd_bytes);
    }
}

// out[0..width) = start[0..width) + sum over the entries of value * dense[index * stride +
// 0..width), in their order; without `start` from 0. Rectified: 0 where that is negative (NaN
// stays).
template <Finish finish = Finish::keep, class Real>
GRAPHOPT_ALWAYS_INLINE void multiply_row(std::span<const NodeId> indices, const Real* values,
                                         const Real* dense, std::size_t stride, const Real* start,
                                         std::size_t width, Real* out) {
    constexpr std::size_t lanes = lane_count<Real>;
    if (width < lanes) {
        Real sums[lanes] = {};
        if (start != nullptr) std::copy(start, start + width, sums);
        for (std::size_t e = 0; e < indices.size(); ++e) {
            const Real* const source = dense + static_cast<std::size_t>(indices[e]) * stride;
            for (std::size_t j = 0; j < width; ++j) sums[j] += values[e] * source[j];
        }
        for (std::size_t j = 0; j < width; ++j) {
            out[j] = finish == Finish::rectify && sums[j] <= Real{0} ? Real{0} : sums[j];
        }
        return;
    }
    for (std::size_t column = 0; column < width; column += max_row_vectors * lanes) {
        // A short rest starts earlier, over columns that are done.
        const std::size_t begin = std::min(column, width - lanes);
        const std::size_t count = std::min(max_row_vectors * lanes, width - begin);
        const auto multiply = [&]<std::size_t Vectors>() __attribute__((always_inline)) {
            multiply_row_vectors<Vectors, finish>(indices, values, dense + begin, stride,
                                                  start == nullptr ? nullptr : start + begin,
                                                  count - lanes, out + begin);
        };
        switch ((count + lanes - 1) / lanes) {
            case 1:
                multiply.template operator()<1>();
                break;
            case 2:
                multiply.template operator()<2>();
                break;
            case 3:
                multiply.template operator()<3>();
                break;
            default:
                multiply.template operator()<4>();
                break;
        }
    }
}

}  // namespace graphopt
