// One row of a sparse matrix times a dense matrix, sums kept in registers; inlined into the kernels
// that average over neighbours.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>

#include "graphopt/csr.hpp"
#include "graphopt/simd.hpp"

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

// `count` columns, at most max_row_vectors vectors of them and more than one vector fewer. The last
// vector ends with the last column: it may overlap the one before, whose sums it repeats.
template <std::size_t Vectors, class Real>
GRAPHOPT_ALWAYS_INLINE void multiply_row_vectors(std::span<const NodeId> indices,
                                                 const Real* values, const Real* dense,
                                                 std::size_t stride, std::size_t last, Real* out) {
    using Vector = typename Lanes<Real>::Vector;
    constexpr std::size_t lanes = lane_count<Real>;
    Vector sums[Vectors] = {};
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
        std::memcpy(out + (v + 1 < Vectors ? v * lanes : last), &sums[v], simd_bytes);
    }
}

// out[0..width) = sum over the entries of value * dense[index * stride + 0..width), in their order.
template <class Real>
GRAPHOPT_ALWAYS_INLINE void multiply_row(std::span<const NodeId> indices, const Real* values,
                                         const Real* dense, std::size_t stride, std::size_t width,
                                         Real* out) {
    constexpr std::size_t lanes = lane_count<Real>;
    if (width < lanes) {
        Real sums[lanes] = {};
        for (std::size_t e = 0; e < indices.size(); ++e) {
            const Real* const source = dense + static_cast<std::size_t>(indices[e]) * stride;
            for (std::size_t j = 0; j < width; ++j) sums[j] += values[e] * source[j];
        }
        std::copy(sums, sums + width, out);
        return;
    }
    for (std::size_t column = 0; column < width; column += max_row_vectors * lanes) {
        // A short rest starts earlier, over columns that are done.
        const std::size_t begin = std::min(column, width - lanes);
        const std::size_t count = std::min(max_row_vectors * lanes, width - begin);
        const std::size_t last = count - lanes;
        const auto multiply = [&]<std::size_t Vectors>() __attribute__((always_inline)) {
            multiply_row_vectors<Vectors>(indices, values, dense + begin, stride, last,
                                          out + begin);
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
