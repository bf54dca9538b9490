#include "graphopt/nn/tall_product.hpp"

#include <algorithm>
#include <cstddef>
#include <span>

#include "dense_product.hpp"
#include "graphopt/support/parallel.hpp"

namespace graphopt {
namespace {

// Whole tiles of `product`, which have six rows.
constexpr std::size_t tile_rows = 6;
constexpr std::size_t rows_per_chunk = 8 * tile_rows;
// Rows of the narrow factor that stay in the first-level cache while tiles go by.
constexpr std::size_t steps_per_block = 64;
// The transposed product is split between columns, into about so many chunks, each of which reads
// whole lines of the tall matrix.
constexpr std::size_t wanted_chunks = 16;
constexpr std::size_t max_columns_per_chunk = 16 * tile_rows;

std::size_t columns_per_chunk(std::size_t n_columns) {
    const std::size_t tiles = chunk_count(chunk_count(n_columns, wanted_chunks), tile_rows);
    return std::clamp(tiles * tile_rows, tile_rows, max_columns_per_chunk);
}

// The narrow factor, its rows padded with zeros.
template <class Real>
Lines<Real> padded_rows(const Real* matrix, std::size_t n_rows, std::size_t width,
                        int num_threads) {
    const std::size_t stride = padded_width<Real>(width);
    Lines<Real> result(n_rows * stride);
    Real* const rows = result.data();
    parallel_ranges(n_rows, 1024, num_threads,
                    [&](std::size_t begin, std::size_t end, std::size_t, int) {
                        for (std::size_t r = begin; r < end; ++r) {
                            Real* const row = rows + r * stride;
                            std::copy_n(matrix + r * width, width, row);
                            std::fill(row + width, row + stride, Real{0});
                        }
                    });
    return result;
}

// sums = the product of `rows` rows of a left factor, each of `steps`, with a padded factor.
template <class S, class Real = ScalarOf<S>>
GRAPHOPT_ALWAYS_INLINE void chunk_body(LeftFactor<Real> left, std::size_t rows, std::size_t steps,
                                       const Real* other, std::size_t stride, Real* sums) {
    std::fill_n(sums, rows * stride, Real{0});
    for (std::size_t step = 0; step < steps; step += steps_per_block) {
        const LeftFactor<Real> block{left.first + step * left.step_stride, left.row_stride,
                                     left.step_stride};
        product<S, true>(block, rows, std::min(steps_per_block, steps - step),
                         other + step * stride, stride, sums);
    }
}

#define GRAPHOPT_TALL_KERNEL(Real)                                                      \
    GRAPHOPT_PER_ISA(                                                                   \
        void multiply_chunk(LeftFactor<Real> left, std::size_t rows, std::size_t steps, \
                            const Real* other, std::size_t stride, Real* sums),         \
        chunk_body<Simd<Real, vector_bytes>>(left, rows, steps, other, stride, sums))
GRAPHOPT_TALL_KERNEL(float)
GRAPHOPT_TALL_KERNEL(double)
#undef GRAPHOPT_TALL_KERNEL

// The product of a left factor of `n_rows` rows, split into chunks of them.
template <class Real>
void multiply(LeftFactor<Real> left, std::size_t n_rows, std::size_t chunk_rows, std::size_t steps,
              std::span<const Real> other, std::size_t width, std::span<Real> result,
              int num_threads) {
    const std::size_t stride = padded_width<Real>(width);
    Lines<Real> padded = padded_rows(other.data(), steps, width, num_threads);
    parallel_ranges(
        n_rows, chunk_rows, num_threads, [&](std::size_t begin, std::size_t end, std::size_t, int) {
            const LeftFactor<Real> mine{left.first + begin * left.row_stride, left.row_stride,
                                        left.step_stride};
            Lines<Real> sums(chunk_rows * stride);
            multiply_chunk(mine, end - begin, steps, padded.data(), stride, sums.data());
            for (std::size_t r = begin; r < end; ++r) {
                std::copy_n(sums.data() + (r - begin) * stride, width, result.data() + r * width);
            }
        });
}

template <class Real>
void forward(TallShape shape, std::span<const Real> tall, std::span<const Real> other,
             std::span<Real> product, int num_threads) {
    multiply(LeftFactor<Real>{tall.data(), shape.n_columns, 1}, shape.n_rows, rows_per_chunk,
             shape.n_columns, other, shape.width, product, num_threads);
}

template <class Real>
void transposed(TallShape shape, std::span<const Real> tall, std::span<const Real> other,
                std::span<Real> product, int num_threads) {
    multiply(LeftFactor<Real>{tall.data(), 1, shape.n_columns}, shape.n_columns,
             columns_per_chunk(shape.n_columns), shape.n_rows, other, shape.width, product,
             num_threads);
}

}  // namespace

void tall_product(TallShape shape, std::span<const float> tall, std::span<const float> other,
                  std::span<float> product, int num_threads) {
    forward(shape, tall, other, product, num_threads);
}

void tall_product(TallShape shape, std::span<const double> tall, std::span<const double> other,
                  std::span<double> product, int num_threads) {
    forward(shape, tall, other, product, num_threads);
}

void transposed_tall_product(TallShape shape, std::span<const float> tall,
                             std::span<const float> other, std::span<float> product,
                             int num_threads) {
    transposed(shape, tall, other, product, num_threads);
}

void transposed_tall_product(TallShape shape, std::span<const double> tall,
                             std::span<const double> other, std::span<double> product,
                             int num_threads) {
    transposed(shape, tall, other, product, num_threads);
}

}  // namespace graphopt
