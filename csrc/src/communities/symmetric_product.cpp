#include "graphopt/communities/symmetric_product.hpp"

#include <algorithm>
#include <vector>

#include "graphopt/support/aligned.hpp"
#include "graphopt/support/parallel.hpp"
#include "graphopt/support/vector_math.hpp"
#include "triangle_chunks.hpp"

namespace graphopt {
namespace {

// Adds to `product` what the square of `rows` rows on the diagonal at `first` makes of `vector`.
GRAPHOPT_ALWAYS_INLINE void add_square(const double* matrix, std::size_t n, std::size_t first,
                                       std::size_t rows, const double* vector, double* product) {
    for (std::size_t i = first; i < first + rows; ++i) {
        const double* const row = matrix + i * n;
        double sum = row[i] * vector[i];
        for (std::size_t j = i + 1; j < first + rows; ++j) {
            sum += row[j] * vector[j];
            product[j] += row[j] * vector[i];
        }
        product[i] += sum;
    }
}

// Adds what `Rows` rows from `first` on make of `vector`, and their mirror images left of the
// diagonal: an entry is used twice while it is in a register, and so is what is read of `vector`
// and `product`, `Rows` times.
template <class S, std::size_t Rows>
GRAPHOPT_ALWAYS_INLINE void add_rows(const double* matrix, std::size_t n, std::size_t first,
                                     const double* vector, double* product) {
    add_square(matrix, n, first, Rows, vector, product);
    const double* const rows = matrix + first * n;
    VectorOf<S> sums[Rows] = {};
    VectorOf<S> own[Rows];
#pragma GCC unroll 8
    for (std::size_t r = 0; r < Rows; ++r) own[r] = broadcast<S>(vector[first + r]);
    std::size_t j = first + Rows;
    for (; j + S::lanes <= n; j += S::lanes) {
        const VectorOf<S> other = loaded_once<S>(vector + j);
        VectorOf<S> mirrored = load<S>(product + j);
#pragma GCC unroll 8
        for (std::size_t r = 0; r < Rows; ++r) {
            const VectorOf<S> entries = loaded_once<S>(rows + r * n + j);
            sums[r] += entries * other;
            mirrored += entries * own[r];
        }
        store<S>(product + j, mirrored);
    }
    for (std::size_t r = 0; r < Rows; ++r) {
        double sum = lane_sum<S>(sums[r]);
        for (std::size_t k = j; k < n; ++k) {
            sum += rows[r * n + k] * vector[k];
            product[k] += rows[r * n + k] * vector[first + r];
        }
        product[first + r] += sum;
    }
}

template <class S>
GRAPHOPT_ALWAYS_INLINE void add_chunk_body(const double* matrix, std::size_t n, std::size_t begin,
                                           std::size_t end, const double* vector, double* product) {
    // With 32 registers; 16 hold the sums and the factors of half as many rows.
    constexpr std::size_t rows = S::bytes == 64 ? triangle_step : triangle_step / 2;
    std::size_t first = begin;
    for (; first + rows <= end; first += rows) {
        add_rows<S, rows>(matrix, n, first, vector, product);
    }
    add_square(matrix, n, first, end - first, vector, product);
}

// Rows [begin, end); fewer than a step of them only where `end` is n.
GRAPHOPT_PER_ISA(void add_chunk(const double* matrix, std::size_t n, std::size_t begin,
                                std::size_t end, const double* vector, double* product),
                 add_chunk_body<Simd<double, vector_bytes>>(matrix, n, begin, end, vector, product))

GRAPHOPT_MULTIVERSION_FN void add(const double* part, std::size_t size, double* product) {
    for (std::size_t i = 0; i < size; ++i) product[i] += part[i];
}

}  // namespace

void symmetric_product(std::span<const double> matrix, std::span<const double> vector,
                       std::span<double> product, int num_threads) {
    const std::size_t n = vector.size();
    const std::vector<std::size_t> bounds = triangle_chunks(n);
    const std::size_t n_chunks = bounds.size() - 1;
    // A chunk adds to nothing above its first row. The first adds to the product itself.
    std::vector<std::size_t> offsets(n_chunks + 1, 0);
    for (std::size_t chunk = 1; chunk < n_chunks; ++chunk) {
        offsets[chunk + 1] = offsets[chunk] + n - bounds[chunk];
    }
    AlignedArray<double> parts(offsets[n_chunks], uninitialized);
    parallel_chunks(n_chunks, num_threads, [&](std::size_t chunk, int) {
        const std::size_t begin = bounds[chunk];
        double* const part = chunk == 0 ? product.data() : parts.data() + offsets[chunk];
        std::fill_n(part, n - begin, 0.0);
        // Rows and columns from `begin` on are a symmetric matrix of the same row length.
        add_chunk(matrix.data(), n, begin, bounds[chunk + 1], vector.data(), part - begin);
        count_work((bounds[chunk + 1] - begin) * (n - begin) / 2);
    });
    for (std::size_t chunk = 1; chunk < n_chunks; ++chunk) {
        add(parts.data() + offsets[chunk], n - bounds[chunk], product.data() + bounds[chunk]);
    }
}

}  // namespace graphopt
