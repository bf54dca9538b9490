#include "graphopt/clustering/unit_rows.hpp"

#include <cmath>
#include <limits>

#include "graphopt/support/parallel.hpp"
#include "graphopt/support/vector_math.hpp"
#include "row_length.hpp"

namespace graphopt {
namespace {

constexpr std::size_t chunk_rows = 1024;  // short enough to share, long enough to be worth it

template <class S, class T = ScalarOf<S>>
GRAPHOPT_ALWAYS_INLINE void unit_body(const T* x, std::size_t rows, std::size_t width, T* unit,
                                      T* lengths) {
    for (std::size_t j = 0; j < rows; ++j) {
        const T* row = x + j * width;
        T* const to = unit + j * width;
        T square = dot<S>(row, row, width);
        int exponent = 0;
        if (!is_ordinary(square)) {
            exponent = in_own_unit(row, width, to);
            row = to;
            square = dot<S>(row, row, width);
        }
        const T divisor = row_divisor(square);
        lengths[j] = square == T{0} ? T{0} : divisor;
        if (exponent != 0) lengths[j] = std::ldexp(lengths[j], exponent);
        for (std::size_t d = 0; d < width; ++d) to[d] = row[d] / divisor;
    }
}

template <class S, class T = ScalarOf<S>>
GRAPHOPT_ALWAYS_INLINE void unit_vjp_body(const T* unit, const T* lengths, const T* gradient,
                                          std::size_t rows, std::size_t width, T* to_x) {
    for (std::size_t j = 0; j < rows; ++j) {
        const T* const y = unit + j * width;
        const T* const g = gradient + j * width;
        const T along = dot<S>(g, y, width);
        const T scale = lengths[j] == T{0} ? T{0} : T{1} / lengths[j];
        const bool is_short = scale > std::numeric_limits<T>::max();
        for (std::size_t d = 0; d < width; ++d) {
            const T across = g[d] - along * y[d];
            to_x[j * width + d] = is_short ? across / lengths[j] : across * scale;
        }
    }
}

GRAPHOPT_PER_ISA(void unit_chunk(const float* x, std::size_t rows, std::size_t width, float* unit,
                                 float* lengths),
                 unit_body<Simd<float, vector_bytes>>(x, rows, width, unit, lengths))
GRAPHOPT_PER_ISA(void unit_chunk(const double* x, std::size_t rows, std::size_t width, double* unit,
                                 double* lengths),
                 unit_body<Simd<double, vector_bytes>>(x, rows, width, unit, lengths))
GRAPHOPT_PER_ISA(void unit_vjp_chunk(const float* unit, const float* lengths, const float* gradient,
                                     std::size_t rows, std::size_t width, float* to_x),
                 unit_vjp_body<Simd<float, vector_bytes>>(unit, lengths, gradient, rows, width,
                                                          to_x))
GRAPHOPT_PER_ISA(void unit_vjp_chunk(const double* unit, const double* lengths,
                                     const double* gradient, std::size_t rows, std::size_t width,
                                     double* to_x),
                 unit_vjp_body<Simd<double, vector_bytes>>(unit, lengths, gradient, rows, width,
                                                           to_x))

}  // namespace

template <class T>
void unit_rows(std::span<const T> x, std::size_t width, int num_threads, std::span<T> unit,
               std::span<T> lengths) {
    parallel_ranges(lengths.size(), chunk_rows, num_threads,
                    [&](std::size_t begin, std::size_t end, std::size_t, int) {
                        unit_chunk(x.data() + begin * width, end - begin, width,
                                   unit.data() + begin * width, lengths.data() + begin);
                    });
}

template <class T>
void unit_rows_vjp(std::span<const T> unit, std::span<const T> lengths, std::span<const T> gradient,
                   std::size_t width, int num_threads, std::span<T> to_x) {
    parallel_ranges(lengths.size(), chunk_rows, num_threads,
                    [&](std::size_t begin, std::size_t end, std::size_t, int) {
                        unit_vjp_chunk(unit.data() + begin * width, lengths.data() + begin,
                                       gradient.data() + begin * width, end - begin, width,
                                       to_x.data() + begin * width);
                    });
}

template void unit_rows(std::span<const float>, std::size_t, int, std::span<float>,
                        std::span<float>);
template void unit_rows(std::span<const double>, std::size_t, int, std::span<double>,
                        std::span<double>);
template void unit_rows_vjp(std::span<const float>, std::span<const float>, std::span<const float>,
                            std::size_t, int, std::span<float>);
template void unit_rows_vjp(std::span<const double>, std::span<const double>,
                            std::span<const double>, std::size_t, int, std::span<double>);

}  // namespace graphopt
