#include "graphopt/nn/gcn.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "dense_product.hpp"
#include "dropout_mask.hpp"
#include "graphopt/support/parallel.hpp"
#include "spmm_rows.hpp"

namespace graphopt {
namespace {

// Rows whose dense products are taken at once, from the first-level cache.
constexpr std::size_t block_rows = 64;
// Every chunk of the gradient has sums of its own, as large as the weights.
constexpr std::size_t max_chunks = 64;

std::size_t rows_per_chunk(std::size_t n_rows) {
    const std::size_t blocks = chunk_count(n_rows, block_rows);
    return block_rows * std::max<std::size_t>(2, chunk_count(blocks, max_chunks));
}

template <class Real>
struct Task {
    const SparseView<Real>& matrix;
    const GcnLayers<Real>& layers;
    std::size_t n_hidden = layers.hidden_bias.size();
    std::size_t n_out = layers.out_bias.size();
    std::size_t hidden_stride = padded_width<Real>(n_hidden);
    std::size_t out_stride = padded_width<Real>(n_out);

    template <Finish finish = Finish::keep>
    GRAPHOPT_ALWAYS_INLINE void multiply(std::size_t row, const Real* dense, std::size_t stride,
                                         const Real* start, std::size_t width, Real* out) const {
        const auto first = static_cast<std::size_t>(matrix.indptr[row]);
        const auto last = static_cast<std::size_t>(matrix.indptr[row + 1]);
        multiply_row<finish, Real>(matrix.indices.subspan(first, last - first),
                                   matrix.values.data() + first, dense, stride, start, width, out);
    }
};

// Rows begin..end of a matrix, padded with zeros to `stride`, from one without padding.
template <class Real>
Lines<Real> padded(std::span<const Real> matrix, std::size_t width) {
    const std::size_t stride = padded_width<Real>(width);
    const std::size_t n_rows = width == 0 ? 0 : matrix.size() / width;
    Lines<Real> result(n_rows * stride);
    std::fill_n(result.data(), n_rows * stride, Real{0});
    for (std::size_t r = 0; r < n_rows; ++r) {
        std::copy_n(matrix.data() + r * width, width, result.data() + r * stride);
    }
    return result;
}

template <class Real>
Lines<Real> padded_transpose(std::span<const Real> matrix, std::size_t width) {
    const std::size_t n_rows = width == 0 ? 0 : matrix.size() / width;
    const std::size_t stride = padded_width<Real>(n_rows);
    Lines<Real> result(width * stride);
    std::fill_n(result.data(), width * stride, Real{0});
    for (std::size_t r = 0; r < n_rows; ++r) {
        for (std::size_t c = 0; c < width; ++c)
            result.data()[c * stride + r] = matrix[r * width + c];
    }
    return result;
}

// --- forward
// --------------------------------------------------------------------------------------

// hidden, and hidden * out_weight in rows of out_stride.
template <class S, class Real = ScalarOf<S>>
GRAPHOPT_ALWAYS_INLINE void hidden_rows_body(const Task<Real>& task, const Real* projected,
                                             const Real* weight, std::size_t begin, std::size_t end,
                                             Real* hidden, Real* weighted) {
    const std::size_t h = task.n_hidden;
    const Real* const bias = task.layers.hidden_bias.data();
    const DropoutRule<Real> rule(task.layers.dropout);
    for (std::size_t row = begin; row < end; ++row) {
        task.template multiply<Finish::rectify>(row, projected, h, bias, h, hidden + row * h);
    }
    if (task.layers.dropout > 0.0) {
        drop_in_place(hidden + begin * h, begin * h, (end - begin) * h, rule, task.layers.seed);
    }
    product<S, false>(LeftFactor<Real>{hidden + begin * h, h, 1}, end - begin, h, weight,
                      task.out_stride, weighted + begin * task.out_stride);
}

template <class Real>
GRAPHOPT_ALWAYS_INLINE void out_rows_body(const Task<Real>& task, const Real* weighted,
                                          std::size_t begin, std::size_t end, Real* out) {
    const std::size_t p = task.n_out;
    for (std::size_t row = begin; row < end; ++row) {
        task.multiply(row, weighted, task.out_stride, task.layers.out_bias.data(), p,
                      out + row * p);
    }
}

// --- backward
// -------------------------------------------------------------------------------------

// One chunk's share of the sums over nodes.
template <class Real>
struct Sums {
    Real* hidden_bias;  // hidden_stride
    Real* out_weight;   // n_hidden x out_stride
    Real* out_bias;     // out_stride
};

// The gradient by what relu was given, in rows of hidden_stride; `weight` is transposed, n_out x
// hidden_stride; `back` and `by_hidden` hold a block's rows.
template <class S, class Real = ScalarOf<S>>
GRAPHOPT_ALWAYS_INLINE void backward_rows_body(const Task<Real>& task, const Real* upstream,
                                               const Real* hidden, const Real* weight,
                                               std::size_t begin, std::size_t end, Real* back,
                                               Real* by_hidden, Sums<Real> sums) {
    const std::size_t h = task.n_hidden, p = task.n_out, rows = end - begin;
    const Real scale = DropoutRule<Real>(task.layers.dropout).scale;
    const Real* const kept = hidden + begin * h;
    for (std::size_t r = 0; r < rows; ++r) {
        const Real* const above = upstream + (begin + r) * p;
        task.multiply(begin + r, upstream, p, nullptr, p, back + r * task.out_stride);
        for (std::size_t c = 0; c < p; ++c) sums.out_bias[c] += above[c];
    }
    product<S, true>(LeftFactor<Real>{kept, 1, h}, h, rows, back, task.out_stride, sums.out_weight);
    product<S, false>(LeftFactor<Real>{back, task.out_stride, 1}, rows, p, weight,
                      task.hidden_stride, by_hidden);
    for (std::size_t r = 0; r < rows; ++r) {
        Real* const row = by_hidden + r * task.hidden_stride;
        for (std::size_t k = 0; k < h; ++k) {
            row[k] = kept[r * h + k] == Real{0} ? Real{0} : row[k] * scale;
            sums.hidden_bias[k] += row[k];
        }
    }
}

template <class Real>
GRAPHOPT_ALWAYS_INLINE void projected_rows_body(const Task<Real>& task, const Real* by_hidden,
                                                std::size_t begin, std::size_t end, Real* out) {
    for (std::size_t row = begin; row < end; ++row) {
        task.multiply(row, by_hidden, task.hidden_stride, nullptr, task.n_hidden,
                      out + row * task.n_hidden);
    }
}

#define GRAPHOPT_GCN_KERNELS(Real)                                                                \
    GRAPHOPT_PER_ISA(                                                                             \
        void hidden_rows(const Task<Real>& task, const Real* projected, const Real* weight,       \
                         std::size_t begin, std::size_t end, Real* hidden, Real* weighted),       \
        hidden_rows_body<Simd<Real, vector_bytes>>(task, projected, weight, begin, end, hidden,   \
                                                   weighted))                                     \
    GRAPHOPT_PER_ISA(                                                                             \
        void backward_rows(const Task<Real>& task, const Real* upstream, const Real* hidden,      \
                           const Real* weight, std::size_t begin, std::size_t end, Real* back,    \
                           Real* by_hidden, Sums<Real> sums),                                     \
        backward_rows_body<Simd<Real, vector_bytes>>(task, upstream, hidden, weight, begin, end,  \
                                                     back, by_hidden, sums))                      \
    GRAPHOPT_MULTIVERSION_FN void out_rows(const Task<Real>& task, const Real* weighted,          \
                                           std::size_t begin, std::size_t end, Real* out) {       \
        out_rows_body(task, weighted, begin, end, out);                                           \
    }                                                                                             \
    GRAPHOPT_MULTIVERSION_FN void projected_rows(const Task<Real>& task, const Real* by_hidden,   \
                                                 std::size_t begin, std::size_t end, Real* out) { \
        projected_rows_body(task, by_hidden, begin, end, out);                                    \
    }

GRAPHOPT_GCN_KERNELS(float)
GRAPHOPT_GCN_KERNELS(double)
#undef GRAPHOPT_GCN_KERNELS

template <class Real>
void forward(const SparseView<Real>& adjacency, const GcnLayers<Real>& layers,
             std::span<const Real> projected, std::span<Real> hidden, std::span<Real> out,
             int num_threads) {
    const Task<Real> task{adjacency, layers};
    const std::size_t n = adjacency.n_rows();
    Lines<Real> weight = padded(layers.out_weight, task.n_out);
    Lines<Real> weighted(n * task.out_stride);
    parallel_ranges(n, block_rows, num_threads,
                    [&](std::size_t begin, std::size_t end, std::size_t, int) {
                        hidden_rows(task, projected.data(), weight.data(), begin, end,
                                    hidden.data(), weighted.data());
                    });
    parallel_ranges(n, block_rows, num_threads,
                    [&](std::size_t begin, std::size_t end, std::size_t, int) {
                        out_rows(task, weighted.data(), begin, end, out.data());
                    });
}

template <class Real>
void backward(const SparseView<Real>& transposed, const GcnLayers<Real>& layers,
              std::span<const Real> hidden, std::span<const Real> upstream,
              const GcnGradients<Real>& gradients, int num_threads) {
    const Task<Real> task{transposed, layers};
    const std::size_t n = transposed.n_rows(), h = task.n_hidden, p = task.n_out;
    const std::size_t chunk_rows = rows_per_chunk(n), n_chunks = chunk_count(n, chunk_rows);
    const std::size_t sums_size = task.hidden_stride + (h + 1) * task.out_stride;
    const std::size_t back_size = block_rows * task.out_stride;
    Lines<Real> weight = padded_transpose(layers.out_weight, p);
    Lines<Real> by_hidden(n * task.hidden_stride);
    Lines<Real> all_sums(n_chunks * sums_size);
    const auto sums_of = [&](std::size_t chunk) {
        Real* const first = all_sums.data() + chunk * sums_size;
        Real* const out_weight = first + task.hidden_stride;
        return Sums<Real>{first, out_weight, out_weight + h * task.out_stride};
    };
    parallel_ranges(n, chunk_rows, num_threads,
                    [&](std::size_t begin, std::size_t end, std::size_t chunk, int) {
                        const Sums<Real> sums = sums_of(chunk);
                        std::fill_n(sums.hidden_bias, sums_size, Real{0});
                        Lines<Real> back(back_size);
                        std::fill_n(back.data(), back_size, Real{0});
                        for (std::size_t first = begin; first < end; first += block_rows) {
                            const std::size_t last = std::min(first + block_rows, end);
                            count_work((last - first) * (h + 1) * task.out_stride / 4);
                            backward_rows(task, upstream.data(), hidden.data(), weight.data(),
                                          first, last, back.data(),
                                          by_hidden.data() + first * task.hidden_stride, sums);
                        }
                    });
    parallel_ranges(
        n, block_rows, num_threads, [&](std::size_t begin, std::size_t end, std::size_t, int) {
            projected_rows(task, by_hidden.data(), begin, end, gradients.projected.data());
        });
    const auto clear = [](std::span<Real> span) { std::fill(span.begin(), span.end(), Real{0}); };
    clear(gradients.hidden_bias);
    clear(gradients.out_weight);
    clear(gradients.out_bias);
    for (std::size_t chunk = 0; chunk < n_chunks; ++chunk) {
        const Sums<Real> sums = sums_of(chunk);
        for (std::size_t k = 0; k < h; ++k) {
            gradients.hidden_bias[k] += sums.hidden_bias[k];
            for (std::size_t c = 0; c < p; ++c) {
                gradients.out_weight[k * p + c] += sums.out_weight[k * task.out_stride + c];
            }
        }
        for (std::size_t c = 0; c < p; ++c) gradients.out_bias[c] += sums.out_bias[c];
    }
}

}  // namespace

void gcn_layers(const SparseView<float>& adjacency, const GcnLayers<float>& layers,
                std::span<const float> projected, std::span<float> hidden, std::span<float> out,
                int num_threads) {
    forward(adjacency, layers, projected, hidden, out, num_threads);
}

void gcn_layers(const SparseView<double>& adjacency, const GcnLayers<double>& layers,
                std::span<const double> projected, std::span<double> hidden, std::span<double> out,
                int num_threads) {
    forward(adjacency, layers, projected, hidden, out, num_threads);
}

void gcn_layers_gradient(const SparseView<float>& transposed, const GcnLayers<float>& layers,
                         std::span<const float> hidden, std::span<const float> upstream,
                         const GcnGradients<float>& gradients, int num_threads) {
    backward(transposed, layers, hidden, upstream, gradients, num_threads);
}

void gcn_layers_gradient(const SparseView<double>& transposed, const GcnLayers<double>& layers,
                         std::span<const double> hidden, std::span<const double> upstream,
                         const GcnGradients<double>& gradients, int num_threads) {
    backward(transposed, layers, hidden, upstream, gradients, num_threads);
}

}  // namespace graphopt
