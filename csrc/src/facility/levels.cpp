#include "levels.hpp"

#include <algorithm>
#include <cstring>

#include "graphopt/support/simd.hpp"

namespace graphopt::facility {
namespace {

template <class Hops>
GRAPHOPT_ALWAYS_INLINE std::size_t table_index(Hops level, Hops last) {
    return is_byte<Hops> ? level : std::min(level, last);
}

template <std::size_t Rows, class Hops>
GRAPHOPT_ALWAYS_INLINE void multiply_rows(const Hops* rows, std::span<const double> keep, Hops last,
                                          double* tables, std::size_t stride) {
    const std::size_t n_sites = keep.size();
    for (std::size_t i = 0; i < n_sites; ++i) {
        const double factor = keep[i];
        for (std::size_t r = 0; r < Rows; ++r) {
            tables[r * stride + table_index(rows[r * n_sites + i], last)] *= factor;
        }
    }
}

template <class Hops, class Real>
GRAPHOPT_ALWAYS_INLINE void add_by_level_body(const Rows<Hops>& rows, Hops last, const Real* tables,
                                              std::size_t stride, std::span<Real> sums) {
    const auto look_up = [&](std::size_t r, std::size_t i) {
        return tables[r * stride + table_index(rows[r][i], last)];
    };
    for (std::size_t i = 0; i < sums.size(); ++i) {
        sums[i] += ((look_up(0, i) + look_up(1, i)) + (look_up(2, i) + look_up(3, i))) +
                   ((look_up(4, i) + look_up(5, i)) + (look_up(6, i) + look_up(7, i)));
    }
}

// Four bytes share a lane of a block of sums: lane l of its q-th vector is site 4 l + q.
constexpr std::size_t permute_block = 64;

}  // namespace

template <class Hops>
void multiply_by_level(const Hops* rows, std::size_t n_rows, std::span<const double> keep,
                       Hops last, double* tables, std::size_t stride) {
    if (n_rows == forward_rows) {
        multiply_rows<forward_rows>(rows, keep, last, tables, stride);
        return;
    }
    for (std::size_t r = 0; r < n_rows; ++r) {
        multiply_rows<1>(rows + r * keep.size(), keep, last, tables + r * stride, stride);
    }
}

#define GRAPHOPT_ADD_BY_LEVEL(Hops, Real)                                                         \
    GRAPHOPT_MULTIVERSION_FN void add_rows(const Rows<Hops>& rows, Hops last, const Real* tables, \
                                           std::size_t stride, std::span<Real> sums) {            \
        add_by_level_body(rows, last, tables, stride, sums);                                      \
    }                                                                                             \
    template <>                                                                                   \
    void add_by_level(const Rows<Hops>& rows, Hops last, const Real* tables, std::size_t stride,  \
                      std::span<Real> sums) {                                                     \
        add_rows(rows, last, tables, stride, sums);                                               \
    }
#define GRAPHOPT_BY_LEVEL(Hops)                                                              \
    template void multiply_by_level(const Hops*, std::size_t, std::span<const double>, Hops, \
                                    double*, std::size_t);                                   \
    GRAPHOPT_ADD_BY_LEVEL(Hops, float)                                                       \
    GRAPHOPT_ADD_BY_LEVEL(Hops, double)
GRAPHOPT_BY_LEVEL(std::uint8_t)
GRAPHOPT_BY_LEVEL(std::uint16_t)
GRAPHOPT_BY_LEVEL(std::uint32_t)
#undef GRAPHOPT_BY_LEVEL
#undef GRAPHOPT_ADD_BY_LEVEL

#if GRAPHOPT_HAS_MULTIVERSION
GRAPHOPT_WIDE_PERMUTES_FN void add_by_level_permuted(const Rows<std::uint8_t>& rows,
                                                     const float* tables, std::size_t stride,
                                                     std::span<float> sums) {
    std::array<std::array<Line<float32x16>, 2>, backward_rows> halves;
    for (std::size_t r = 0; r < backward_rows; ++r) {
        std::memcpy(halves[r].data(), tables + r * stride, sizeof(halves[r]));
    }
    const uint8x64 last = uint8x64{} + static_cast<std::uint8_t>(permute_levels);
    std::size_t i = 0;
    for (; i + permute_block <= sums.size(); i += permute_block) {
        std::array<Line<float32x16>, 4> block;
        std::memcpy(block.data(), sums.data() + i, sizeof(block));
        for (std::size_t r = 0; r < backward_rows; ++r) {
            uint8x64 levels;
            std::memcpy(&levels, rows[r] + i, sizeof(levels));
            levels = levels < last ? levels : last;
            uint32x16 lanes;  // a look-up regards the low 5 bits of a lane only
            std::memcpy(&lanes, &levels, sizeof(lanes));
            for (unsigned q = 0; q < 4; ++q) {
                block[q].lanes +=
                    __builtin_shuffle(halves[r][0].lanes, halves[r][1].lanes, lanes >> (8 * q));
            }
        }
        std::memcpy(sums.data() + i, block.data(), sizeof(block));
    }
    for (; i < sums.size(); ++i) {
        for (std::size_t r = 0; r < backward_rows; ++r) {
            const auto level = std::min<std::size_t>(rows[r][i], permute_levels);
            sums[i] += tables[r * stride + level];
        }
    }
}
#else
void add_by_level_permuted(const Rows<std::uint8_t>&, const float*, std::size_t, std::span<float>) {
}  // never called: has_wide_permutes() is false
#endif

void unpermute(std::span<float> sums) {
    std::array<float, permute_block> block;
    for (std::size_t i = 0; i + permute_block <= sums.size(); i += permute_block) {
        std::copy_n(sums.data() + i, permute_block, block.data());
        for (std::size_t k = 0; k < permute_block; ++k) sums[i + k] = block[k % 4 * 16 + k / 4];
    }
}

}  // namespace graphopt::facility
