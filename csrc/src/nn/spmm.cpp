#include "graphopt/nn/spmm.hpp"

#include "graphopt/support/parallel.hpp"
#include "graphopt/support/simd.hpp"
#include "spmm_rows.hpp"

namespace graphopt {
namespace {

constexpr std::size_t rows_per_chunk = 64;

template <class Real>
GRAPHOPT_ALWAYS_INLINE void multiply_rows(const EdgeOffset* indptr, const NodeId* indices,
                                          const Real* values, const Real* dense, std::size_t width,
                                          Real* out, std::size_t begin, std::size_t end) {
    for (std::size_t row = begin; row < end; ++row) {
        const auto first = static_cast<std::size_t>(indptr[row]);
        const std::span<const NodeId> columns(indices + first,
                                              static_cast<std::size_t>(indptr[row + 1]) - first);
        multiply_row<Finish::keep, Real>(columns, values + first, dense, width, nullptr, width,
                                         out + row * width);
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
    const auto rows = [&](std::size_t begin, std::size_t end) {
        multiply_block(matrix.indptr.data(), matrix.indices.data(), matrix.values.data(),
                       dense.data(), width, out.data(), begin, end);
        const auto entries = static_cast<std::size_t>(matrix.indptr[end] - matrix.indptr[begin]);
        count_work(4 * (end - begin) + entries * (4 + width / 4));
    };
    parallel_ranges(matrix.n_rows(), rows_per_chunk, num_threads,
                    [&](std::size_t begin, std::size_t end, std::size_t, int) {
                        constexpr EdgeOffset many = EdgeOffset{1} << 16;
                        if (matrix.indptr[end] - matrix.indptr[begin] < many) {
                            rows(begin, end);
                        } else {
                            for (std::size_t row = begin; row < end; ++row) rows(row, row + 1);
                        }
                    });
}

}  // namespace

void spmm(const SparseView<float>& matrix, std::span<const float> dense, std::size_t width,
          std::span<float> out, int num_threads) {
    multiply(matrix, dense, width, out, num_threads);
}

void spmm(const SparseView<double>& matrix, std::span<const double> dense, std::size_t width,
          std::span<double> out, int num_threads) {
    multiply(matrix, dense, width, out, num_threads);
}

}  // namespace graphopt
