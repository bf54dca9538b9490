#include "graphopt/facility.hpp"

#include <array>
#include <cstring>
#include <type_traits>

#include "facility_common.hpp"
#include "graphopt/simd.hpp"

namespace graphopt {
namespace {

using facility::Closed;
using facility::customers_per_chunk;
using facility::Partials;

// Rows taken together in the forward pass: as many independent chains of multiplications.
constexpr std::size_t forward_rows = 8;
// Rows taken together in the backward pass: each loads and stores the gradient once.
constexpr std::size_t backward_rows = 4;
template <class Hops>
using Rows = std::array<const Hops*, backward_rows>;
constexpr std::size_t columns_per_chunk = 4096;

// A byte indexes its table directly; wider distances are clamped to the last entry.
template <class Hops>
constexpr bool is_byte = sizeof(Hops) == 1;

template <class Hops>
GRAPHOPT_ALWAYS_INLINE std::size_t table_index(Hops level, Hops last) {
    return is_byte<Hops> ? level : std::min(level, last);
}

// Entries of one customer's table, and the step between tables: never a multiple of a cache page,
// where stores to one table would look like loads from another.
template <class Hops>
std::size_t table_size(std::size_t n_levels) {
    return is_byte<Hops> ? 256 : n_levels + 1;
}
constexpr std::size_t table_padding = 8;

// tables[r][level of site i in row r] *= keep[i], for `Rows` rows at once.
template <std::size_t Rows, class Hops>
GRAPHOPT_ALWAYS_INLINE void multiply_by_level(const Hops* rows, std::size_t n_sites,
                                              const double* keep, Hops last, double* tables,
                                              std::size_t stride) {
    for (std::size_t i = 0; i < n_sites; ++i) {
        const double factor = keep[i];
        for (std::size_t r = 0; r < Rows; ++r) {
            tables[r * stride + table_index(rows[r * n_sites + i], last)] *= factor;
        }
    }
}

// sums[i] += tables[0][level of site i in row 0] + ...: four rows read, one sum written.
template <class Hops, class Real>
GRAPHOPT_ALWAYS_INLINE void add_by_level_body(const Rows<Hops>& rows, std::size_t n_sites,
                                              Hops last, const Real* tables, std::size_t stride,
                                              Real* sums) {
    const Hops *row0 = rows[0], *row1 = rows[1], *row2 = rows[2], *row3 = rows[3];
    const Real *table0 = tables, *table1 = tables + stride, *table2 = tables + 2 * stride,
               *table3 = tables + 3 * stride;
    for (std::size_t i = 0; i < n_sites; ++i) {
        sums[i] += (table0[table_index(row0[i], last)] + table1[table_index(row1[i], last)]) +
                   (table2[table_index(row2[i], last)] + table3[table_index(row3[i], last)]);
    }
}

#define GRAPHOPT_ADD_BY_LEVEL(Hops, Real)                                                         \
    GRAPHOPT_MULTIVERSION_FN void add_by_level(const Rows<Hops>& rows, std::size_t n_sites,       \
                                               Hops last, const Real* tables, std::size_t stride, \
                                               Real* sums) {                                      \
        add_by_level_body(rows, n_sites, last, tables, stride, sums);                             \
    }
GRAPHOPT_ADD_BY_LEVEL(std::uint8_t, float)
GRAPHOPT_ADD_BY_LEVEL(std::uint8_t, double)
GRAPHOPT_ADD_BY_LEVEL(std::uint16_t, float)
GRAPHOPT_ADD_BY_LEVEL(std::uint16_t, double)
GRAPHOPT_ADD_BY_LEVEL(std::uint32_t, float)
GRAPHOPT_ADD_BY_LEVEL(std::uint32_t, double)
#undef GRAPHOPT_ADD_BY_LEVEL

// The same by whole registers, where they can be looked up in: bytes with few levels, float sums.
// A table is 32 entries, the last of them 0 for what never serves. Sums come in the order of
// `unpermute`: lane l of the q-th vector of a block is site 4 l + q, since four bytes share a lane.
constexpr std::size_t permute_levels = 31;
constexpr std::size_t permute_block = 64;

void unpermute(std::span<float> sums) {
    std::array<float, permute_block> block;
    for (std::size_t i = 0; i + permute_block <= sums.size(); i += permute_block) {
        std::copy_n(sums.data() + i, permute_block, block.data());
        for (std::size_t k = 0; k < permute_block; ++k) sums[i + k] = block[k % 4 * 16 + k / 4];
    }
}

#if GRAPHOPT_HAS_MULTIVERSION
GRAPHOPT_MULTIVERSION_FN void add_by_level_permuted(const Rows<std::uint8_t>& rows,
                                                    std::size_t n_sites, const float* tables,
                                                    std::size_t stride, float* sums) {
    std::array<Line<float32x16>, 2 * backward_rows> halves;
    for (std::size_t r = 0; r < backward_rows; ++r) {
        std::memcpy(&halves[2 * r], tables + r * stride, 2 * simd_bytes);
    }
    const uint32x16 last = uint32x16{} + static_cast<unsigned>(permute_levels);
    std::size_t i = 0;
    for (; i + permute_block <= n_sites; i += permute_block) {
        std::array<Line<float32x16>, 4> block;
        std::memcpy(block.data(), sums + i, sizeof(block));
        for (std::size_t r = 0; r < backward_rows; ++r) {
            uint32x16 bytes;
            std::memcpy(&bytes, rows[r] + i, sizeof(bytes));
            for (unsigned q = 0; q < 4; ++q) {
                const uint32x16 level = (bytes >> (8 * q)) & 255U;
                block[q].lanes += __builtin_shuffle(halves[2 * r].lanes, halves[2 * r + 1].lanes,
                                                    level < last ? level : last);
            }
        }
        std::memcpy(sums + i, block.data(), sizeof(block));
    }
    for (; i < n_sites; ++i) {
        for (std::size_t r = 0; r < backward_rows; ++r) sums[i] += tables[r * stride + rows[r][i]];
    }
}
#else
void add_by_level_permuted(const Rows<std::uint8_t>&, std::size_t, const float*, std::size_t,
                           float*) {}  // never called: has_wide_permutes() is false
#endif

// The two sure sites nearest to a customer, by level; n_levels where there is none.
struct Nearest {
    std::size_t site = 0;
    std::size_t level;
    std::size_t next_level;
};

template <class Hops>
Nearest nearest_sure(const Hops* row, const Closed& closed, std::size_t n_levels) {
    Nearest nearest{0, n_levels, n_levels};
    for (std::size_t s = 0; s < closed.sure.size(); ++s) {
        const std::size_t level = std::min<std::size_t>(row[closed.sure[s]], n_levels);
        if (level < nearest.level) {
            nearest = {s, level, nearest.level};
        } else if (level < nearest.next_level) {
            nearest.next_level = level;
        }
    }
    return nearest;
}

struct CustomerSums {
    double expected;
    double sure;
};

// Turns a customer's table of factors by level into products up to each level, then into their
// sums from each level on.
template <class Hops>
CustomerSums sum_levels(double* table, const HopTable<Hops>& hops, const Nearest& nearest) {
    double product = 1.0;
    const std::size_t n_levels = hops.n_levels();
    for (std::size_t t = 0; t < n_levels; ++t) {
        product *= table[t];
        table[t] = product * hops.steps[t];
    }
    const double tail = product * hops.steps[n_levels];

    const bool has_sure = nearest.level < hops.n_levels();
    double sure = nearest.next_level < hops.n_levels() ? 0.0 : tail;
    for (std::size_t t = nearest.next_level; t-- > nearest.level;) sure += table[t];
    for (std::size_t t = nearest.level; t < hops.n_levels(); ++t) table[t] = 0.0;
    double sum = has_sure ? 0.0 : tail;
    for (std::size_t t = nearest.level; t-- > 0;) table[t] = sum += table[t];
    return {sum, has_sure ? sure : 0.0};
}

// Tables for up to `forward_rows` customers, from their rows.
template <class Hops>
class ForwardTables {
  public:
    explicit ForwardTables(const HopTable<Hops>& hops)
        : hops_(hops),
          stride_(table_size<Hops>(hops.n_levels()) + table_padding),
          values_(forward_rows * stride_) {}

    // Calls use(customer, table, sums, nearest) for customers [begin, end), at most forward_rows.
    template <class Use>
    void run(std::size_t begin, std::size_t end, const Closed& closed, Use&& use) {
        std::fill(values_.begin(), values_.end(), 1.0);
        const std::size_t n = hops_.n_sites;
        const Hops* const rows = hops_.distances.data() + begin * n;
        const auto last = static_cast<Hops>(hops_.n_levels());
        if (end - begin == forward_rows) {
            multiply_by_level<forward_rows>(rows, n, closed.keep.data(), last, values_.data(),
                                            stride_);
        } else {
            for (std::size_t r = 0; r < end - begin; ++r) {
                multiply_by_level<1>(rows + r * n, n, closed.keep.data(), last, table(r), stride_);
            }
        }
        for (std::size_t r = 0; r < end - begin; ++r) {
            const Nearest nearest = nearest_sure(rows + r * n, closed, hops_.n_levels());
            const CustomerSums sums = sum_levels(table(r), hops_, nearest);
            use(begin + r, static_cast<const double*>(table(r)), sums, nearest);
        }
    }

  private:
    double* table(std::size_t r) { return values_.data() + r * stride_; }

    const HopTable<Hops>& hops_;
    std::size_t stride_;
    std::vector<double> values_;
};

// The gradient of one chunk of customers, before the division by 1 - x.
template <class Hops, class Real>
class BackwardChunk {
  public:
    BackwardChunk(const HopTable<Hops>& hops, std::span<Real> sums)
        : hops_(hops),
          permuted_(may_permute && hops.n_levels() <= permute_levels && has_wide_permutes()),
          stride_(table_size<Hops>(hops.n_levels()) + table_padding),
          tables_(backward_rows * stride_),
          by_site_(sums.subspan(0, hops.n_sites)),
          by_sure_(sums.subspan(hops.n_sites)) {}

    // `from_level`: the customer's sums, of any floating type.
    template <class Sum>
    void add(std::size_t customer, Real upstream, const Sum* from_level, double sure,
             const Nearest& nearest) {
        if (nearest.level < hops_.n_levels()) {
            by_sure_[nearest.site] += upstream * static_cast<Real>(sure);
        }
        rows_[filled_] = hops_.distances.data() + customer * hops_.n_sites;
        Real* const table = tables_.data() + filled_ * stride_;
        for (std::size_t t = 0; t < hops_.n_levels(); ++t) {
            table[t] = upstream * static_cast<Real>(from_level[t]);
        }
        if (++filled_ == backward_rows) flush();
    }

    // To be called once, after the last customer.
    void finish() {
        flush();
        if constexpr (may_permute) {
            if (permuted_) unpermute(by_site_);
        }
    }

  private:
    static constexpr bool may_permute = is_byte<Hops> && std::is_same_v<Real, float>;

    void flush() {
        if (filled_ == 0) return;
        for (std::size_t r = filled_; r < backward_rows; ++r) {  // rows that add nothing
            rows_[r] = rows_[0];
            std::fill_n(tables_.data() + r * stride_, hops_.n_levels(), Real{0});
        }
        if constexpr (may_permute) {
            if (permuted_) {
                add_by_level_permuted(rows_, hops_.n_sites, tables_.data(), stride_,
                                      by_site_.data());
            }
        }
        if (!permuted_) {
            add_by_level(rows_, hops_.n_sites, static_cast<Hops>(hops_.n_levels()), tables_.data(),
                         stride_, by_site_.data());
        }
        filled_ = 0;
    }

    const HopTable<Hops>& hops_;
    bool permuted_;
    std::size_t stride_;
    std::vector<Real> tables_;  // zero from n_levels on
    Rows<Hops> rows_{};
    std::size_t filled_ = 0;
    std::span<Real> by_site_;
    std::span<Real> by_sure_;
};

// The maximum wraps to 0 when 1 is added, so a plain maximum of d + 1 skips it.
template <class Hops>
GRAPHOPT_ALWAYS_INLINE Hops largest_plus_one_body(const Hops* values, std::size_t count) {
    Hops largest = 0;
    for (std::size_t i = 0; i < count; ++i) {
        largest = std::max(largest, static_cast<Hops>(values[i] + 1U));
    }
    return largest;
}

#define GRAPHOPT_LARGEST_PLUS_ONE(Hops)                                                     \
    GRAPHOPT_MULTIVERSION_FN Hops largest_plus_one(const Hops* values, std::size_t count) { \
        return largest_plus_one_body(values, count);                                        \
    }
GRAPHOPT_LARGEST_PLUS_ONE(std::uint8_t)
GRAPHOPT_LARGEST_PLUS_ONE(std::uint16_t)
GRAPHOPT_LARGEST_PLUS_ONE(std::uint32_t)
#undef GRAPHOPT_LARGEST_PLUS_ONE

}  // namespace

template <class Hops>
std::int64_t largest_finite_hop(std::span<const Hops> distances, int num_threads) {
    constexpr std::size_t chunk_size = std::size_t{1} << 18;
    std::vector<Hops> largest(chunk_count(distances.size(), chunk_size), 0);
    parallel_ranges(distances.size(), chunk_size, num_threads,
                    [&](std::size_t begin, std::size_t end, std::size_t chunk, int) {
                        largest[chunk] = largest_plus_one(distances.data() + begin, end - begin);
                    });
    Hops overall = 0;
    for (const Hops value : largest) overall = std::max(overall, value);
    return static_cast<std::int64_t>(overall) - 1;
}

template <class Hops, class Real>
void expected_hops(const HopTable<Hops>& hops, std::span<const Real> opening,
                   std::span<Real> expected, HopSums<Real> saved, int num_threads) {
    const Closed closed(opening);
    parallel_ranges(hops.n_customers, customers_per_chunk(hops.n_customers), num_threads,
                    [&](std::size_t begin, std::size_t end, std::size_t, int) {
                        ForwardTables<Hops> tables(hops);
                        for (std::size_t row = begin; row < end; row += forward_rows) {
                            tables.run(row, std::min(row + forward_rows, end), closed,
                                       [&](std::size_t customer, const double* from_level,
                                           const CustomerSums& sums, const Nearest&) {
                                           expected[customer] = static_cast<Real>(sums.expected);
                                           if (saved.empty()) return;
                                           saved.sure[customer] = static_cast<Real>(sums.sure);
                                           Real* const out =
                                               saved.from_level.data() + customer * hops.n_levels();
                                           for (std::size_t t = 0; t < hops.n_levels(); ++t) {
                                               out[t] = static_cast<Real>(from_level[t]);
                                           }
                                       });
                        }
                    });
}

template <class Hops, class Real>
void expected_hops_gradient(const HopTable<Hops>& hops, std::span<const Real> opening,
                            std::span<const Real> upstream, HopSums<const Real> saved,
                            std::span<Real> gradient, int num_threads) {
    const Closed closed(opening);
    const std::size_t n = hops.n_sites;
    Partials<Real> partials(hops.n_customers, n + closed.sure.size());
    parallel_ranges(
        hops.n_customers, customers_per_chunk(hops.n_customers), num_threads,
        [&](std::size_t begin, std::size_t end, std::size_t index, int) {
            BackwardChunk<Hops, Real> chunk(hops, partials.of_chunk(index));
            if (!saved.empty()) {
                for (std::size_t j = begin; j < end; ++j) {
                    chunk.add(j, upstream[j], saved.from_level.data() + j * hops.n_levels(),
                              static_cast<double>(saved.sure[j]),
                              nearest_sure(hops.distances.data() + j * n, closed, hops.n_levels()));
                }
            } else {
                ForwardTables<Hops> tables(hops);
                for (std::size_t row = begin; row < end; row += forward_rows) {
                    tables.run(row, std::min(row + forward_rows, end), closed,
                               [&](std::size_t j, const double* from_level,
                                   const CustomerSums& sums, const Nearest& nearest) {
                                   chunk.add(j, upstream[j], from_level, sums.sure, nearest);
                               });
                }
            }
            chunk.finish();
        });
    parallel_ranges(n, columns_per_chunk, num_threads,
                    [&](std::size_t begin, std::size_t end, std::size_t, int) {
                        for (std::size_t i = begin; i < end; ++i) {
                            gradient[i] = static_cast<Real>(-partials.total(i) / closed.keep[i]);
                        }
                    });
    for (std::size_t s = 0; s < closed.sure.size(); ++s) {
        gradient[closed.sure[s]] = static_cast<Real>(-partials.total(n + s));
    }
}

#define GRAPHOPT_INSTANTIATE(Hops, Real)                                                       \
    template void expected_hops(const HopTable<Hops>&, std::span<const Real>, std::span<Real>, \
                                HopSums<Real>, int);                                           \
    template void expected_hops_gradient(const HopTable<Hops>&, std::span<const Real>,         \
                                         std::span<const Real>, HopSums<const Real>,           \
                                         std::span<Real>, int);
#define GRAPHOPT_INSTANTIATE_HOPS(Hops)                                   \
    template std::int64_t largest_finite_hop(std::span<const Hops>, int); \
    GRAPHOPT_INSTANTIATE(Hops, float)                                     \
    GRAPHOPT_INSTANTIATE(Hops, double)
GRAPHOPT_INSTANTIATE_HOPS(std::uint8_t)
GRAPHOPT_INSTANTIATE_HOPS(std::uint16_t)
GRAPHOPT_INSTANTIATE_HOPS(std::uint32_t)
#undef GRAPHOPT_INSTANTIATE_HOPS
#undef GRAPHOPT_INSTANTIATE

}  // namespace graphopt
