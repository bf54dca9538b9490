#include "graphopt/spmm.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>

#include "graphopt/parallel.hpp"
#include "graphopt/simd.hpp"

namespace graphopt {
namespace {

constexpr std::size_t rows_per_chunk = 64;

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
constexpr std::size_t max_vectors = 4;

// `Vectors` full vectors of columns and `tail` columns more.
template <std::size_t Vectors, class Real>
GRAPHOPT_ALWAYS_INLINE void multiply_row(std::span<const NodeId> indices, const Real* values,
                                         const Real* dense, std::size_t width, std::size_t tail,
                                         Real* out) {
    using Vector = typename Lanes<Real>::Vector;
    constexpr std::size_t lanes = lane_count<Real>;
    Vector sums[Vectors + 1] = {};
    Real tail_sums[lanes] = {};
    for (std::size_t e = 0; e < indices.size(); ++e) {
        const Real value = values[e];
        const Real* const source = dense + static_cast<std::size_t>(indices[e]) * width;
        for (std::size_t v = 0; v < Vectors; ++v) {
            Vector loaded;
            std::memcpy(&loaded, source + v * lanes, simd_bytes);
            sums[v] += value * loaded;
        }
        for (std::size_t j = 0; j < tail; ++j) tail_sums[j] += value * source[Vectors * lanes + j];
    }
    std::memcpy(out, sums, Vectors * simd_bytes);
    std::copy(tail_sums, tail_sums + tail, out + Vectors * lanes);
}

template <class Real>
GRAPHOPT_ALWAYS_INLINE void multiply_rows(const EdgeOffset* indptr, const NodeId* indices,
                                          const Real* values, const Real* dense, std::size_t width,
                                          Real* out, std::size_t begin, std::size_t end) {
    constexpr std::size_t lanes = lane_count<Real>;
    for (std::size_t row = begin; row < end; ++row) {
        const auto first = static_cast<std::size_t>(indptr[row]);
        const std::span<const NodeId> columns(indices + first,
                                              static_cast<std::size_t>(indptr[row + 1]) - first);
        for (std::size_t column = 0; column < width; column += max_vectors * lanes) {
            const std::size_t count = std::min(max_vectors * lanes, width - column);
            const std::size_t tail = count % lanes;
            const auto multiply = [&]<std::size_t Vectors>() __attribute__((always_inline)) {
                multiply_row<Vectors>(columns, values + first, dense + column, width, tail,
                                      out + row * width + column);
            };
            switch (count / lanes) {
                case 0:
                    multiply.template operator()<0>();
                    break;
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
}

GRAPHOPT_MULTIVERSION_FN void multiply_block(const EdgeOffset* indptr, const NodeId* indices,
                                             const float* values, const float* dense,
                                             std::size_t width, float* out, std::size_t begin,
                                             std::size_t end) {
    multiply_rows(indptr, indices, values, dense, width, out, begin, end);
}

GRAPHOPT_MULTIVERSION_FN void multiply_block(const EdgeOffset* indptr, const NodeId* indices,
                                             const double* values, const double* dense,
                                             std::size_t width, double* out, std::size_t begin,
                                             std::size_t end) {
    multiply_rows(indptr, indices, values, dense, width, out, begin, end);
}

template <class Real>
void multiply(const SparseView<Real>& matrix, std::span<const Real> dense, std::size_t width,
              std::span<Real> out, int num_threads) {
    parallel_ranges(matrix.n_rows(), rows_per_chunk, num_threads,
                    [&](std::size_t begin, std::size_t end, std::size_t, int) {
                        multiply_block(matrix.indptr.data(), matrix.indices.data(),
                                       matrix.values.data(), dense.data(), width, out.data(), begin,
                                       end);
                    });
}

}  // namespace

void check_sparse(std::span<const EdgeOffset> indptr, std::span<const NodeId> indices,
                  std::size_t n_columns) {
    if (indptr.empty() || indptr.front() != 0 ||
        indptr.back() != static_cast<EdgeOffset>(indices.size())) {
        throw std::invalid_argument("indptr must start with 0 and end with the length of indices");
    }
    if (!std::is_sorted(indptr.begin(), indptr.end())) {
        throw std::invalid_argument("indptr must not decrease");
    }
    for (const NodeId index : indices) {
        if (index < 0 || static_cast<std::size_t>(index) >= n_columns) {
            throw std::invalid_argument("indices must be columns in 0.." +
                                        std::to_string(static_cast<long>(n_columns) - 1) +
                                        ", not " + std::to_string(index));
        }
    }
}

void spmm(const SparseView<float>& matrix, std::span<const float> dense, std::size_t width,
          std::span<float> out, int num_threads) {
    multiply(matrix, dense, width, out, num_threads);
}

void spmm(const SparseView<double>& matrix, std::span<const double> dense, std::size_t width,
          std::span<double> out, int num_threads) {
    multiply(matrix, dense, width, out, num_threads);
}

}  // namespace graphopt
