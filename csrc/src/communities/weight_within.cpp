#include "graphopt/communities/weight_within.hpp"

#include <vector>

#include "graphopt/support/parallel.hpp"
#include "graphopt/support/vector_math.hpp"
#include "triangle_chunks.hpp"

namespace graphopt {
namespace {

template <class S>
GRAPHOPT_ALWAYS_INLINE typename S::Integer load_groups(const std::int64_t* from) {
    typename S::Integer groups;
    std::memcpy(&groups, from, sizeof groups);
    return groups;
}

template <class S>
GRAPHOPT_ALWAYS_INLINE double rows_body(const double* matrix, std::size_t n, std::size_t begin,
                                        std::size_t end, const std::int64_t* group) {
    VectorOf<S> sums[2] = {};  // each waits for its last addition
    double rest = 0.0;
    for (std::size_t i = begin; i < end; ++i) {
        const double* const row = matrix + i * n;
        const typename S::Integer own = group[i] - typename S::Integer{};
        std::size_t j = i + 1;
        for (; j + 2 * S::lanes <= n; j += 2 * S::lanes) {
#pragma GCC unroll 2
            for (std::size_t part = 0; part < 2; ++part) {
                const std::size_t at = j + part * S::lanes;
                sums[part] += load_groups<S>(group + at) == own ? load<S>(row + at) : VectorOf<S>{};
            }
        }
        for (; j < n; ++j) rest += group[j] == group[i] ? row[j] : 0.0;
    }
    return lane_sum<S>(sums[0] + sums[1]) + rest;
}

GRAPHOPT_PER_ISA(double rows_of(const double* matrix, std::size_t n, std::size_t begin,
                                std::size_t end, const std::int64_t* group),
                 return rows_body<Simd<double, vector_bytes>>(matrix, n, begin, end, group))

}  // namespace

double weight_within(std::span<const double> matrix, std::span<const std::int64_t> group,
                     int num_threads) {
    const std::size_t n = group.size();
    const std::vector<std::size_t> bounds = triangle_chunks(n);
    std::vector<double> parts(bounds.size() - 1);
    parallel_chunks(parts.size(), num_threads, [&](std::size_t chunk, int) {
        parts[chunk] = rows_of(matrix.data(), n, bounds[chunk], bounds[chunk + 1], group.data());
        count_work((bounds[chunk + 1] - bounds[chunk]) * (n - bounds[chunk]) / 2);
    });
    double total = 0.0;
    for (const double part : parts) total += part;
    return total;
}

}  // namespace graphopt
