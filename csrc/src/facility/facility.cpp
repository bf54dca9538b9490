#include "graphopt/facility/facility.hpp"

#include <numeric>
#include <type_traits>

#include "common.hpp"
#include "graphopt/support/simd.hpp"
#include "levels.hpp"
#include "planes.hpp"

namespace graphopt {
namespace {

using facility::backward_rows;
using facility::Closed;
using facility::customers_per_chunk;
using facility::forward_rows;
using facility::Partials;
using facility::permute_levels;
using facility::plane_customers;
using facility::Rows;
using facility::SubsetLogs;
using facility::table_stride;

constexpr std::size_t columns_per_chunk = 4096;

// Whether a register holds a table.
template <class Hops, class Real>
constexpr bool may_permute = facility::is_byte<Hops> && std::is_same_v<Real, float>;

template <class Hops, class Real>
bool permutes(const HopTable<Hops>& hops) {
    return may_permute<Hops, Real> && hops.n_levels() <= permute_levels && has_wide_permutes();
}

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
    double sure;  // expected, without the factor of the nearest sure site, beyond its level
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

    const bool has_sure = nearest.level < n_levels;
    double sure = nearest.next_level < n_levels ? 0.0 : tail;
    for (std::size_t t = nearest.next_level; t-- > nearest.level;) sure += table[t];
    for (std::size_t t = nearest.level; t < n_levels; ++t) table[t] = 0.0;
    double sum = has_sure ? 0.0 : tail;
    for (std::size_t t = nearest.level; t-- > 0;) table[t] = sum += table[t];
    return {sum, has_sure ? sure : 0.0};
}

// What every customer is expected to pay, for one opening.
template <class Hops, class Real>
class Forward {
  public:
    Forward(const HopTable<Hops>& hops, std::span<const Real> opening)
        : hops_(hops),
          closed_(opening),
          by_planes_(permutes<Hops, Real>(hops)),
          logs_(by_planes_ ? std::span<const double>(closed_.keep) : std::span<const double>{}) {}

    const Closed& closed() const { return closed_; }

    // Calls use(customer, table, sums, nearest) for customers [begin, end), in order.
    template <class Use>
    void run(std::size_t begin, std::size_t end, Use&& use) const {
        const std::size_t stride = table_stride<Hops>(hops_.n_levels());
        const std::size_t block = by_planes_ ? plane_customers : forward_rows;
        std::vector<double> tables(block * stride);
        for (std::size_t first = begin; first < end; first += block) {
            const std::size_t n_rows = std::min(block, end - first);
            const Hops* const rows = hops_.distances.data() + first * hops_.n_sites;
            multiply(rows, n_rows, tables, stride);
            count_work(2 * n_rows * hops_.n_sites);
            for (std::size_t r = 0; r < n_rows; ++r) {
                double* const table = tables.data() + r * stride;
                const Nearest nearest =
                    nearest_sure(rows + r * hops_.n_sites, closed_, hops_.n_levels());
                const CustomerSums sums = sum_levels(table, hops_, nearest);
                use(first + r, static_cast<const double*>(table), sums, nearest);
            }
        }
    }

  private:
    void multiply(const Hops* rows, std::size_t n_rows, std::vector<double>& tables,
                  std::size_t stride) const {
        if constexpr (may_permute<Hops, Real>) {
            if (by_planes_) {
                facility::multiply_by_level_planes(rows, n_rows, hops_.n_sites, logs_,
                                                   hops_.n_levels(), tables.data(), stride);
                return;
            }
        }
        std::fill(tables.begin(), tables.end(), 1.0);
        facility::multiply_by_level(rows, n_rows, std::span<const double>(closed_.keep),
                                    static_cast<Hops>(hops_.n_levels()), tables.data(), stride);
    }

    const HopTable<Hops>& hops_;
    Closed closed_;
    bool by_planes_;
    SubsetLogs logs_;
};

// The gradient of one chunk of customers, before the division by 1 - x.
template <class Hops, class Real>
class BackwardChunk {
  public:
    BackwardChunk(const HopTable<Hops>& hops, std::span<Real> sums)
        : hops_(hops),
          permuted_(permutes<Hops, Real>(hops)),
          stride_(table_stride<Hops>(hops.n_levels())),
          tables_(backward_rows * stride_),
          by_site_(sums.subspan(0, hops.n_sites)),
          by_sure_(sums.subspan(hops.n_sites)) {}

    void add(std::size_t customer, Real upstream, const double* from_level, double sure,
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
        if constexpr (may_permute<Hops, Real>) {
            if (permuted_) facility::unpermute(by_site_);
        }
    }

  private:
    void flush() {
        if (filled_ == 0) return;
        count_work(filled_ * hops_.n_sites);
        for (std::size_t r = filled_; r < backward_rows; ++r) {  // rows that add nothing
            rows_[r] = rows_[0];
            std::fill_n(tables_.data() + r * stride_, hops_.n_levels(), Real{0});
        }
        filled_ = 0;
        if constexpr (may_permute<Hops, Real>) {
            if (permuted_) {
                facility::add_by_level_permuted(rows_, tables_.data(), stride_, by_site_);
                return;
            }
        }
        facility::add_by_level(rows_, static_cast<Hops>(hops_.n_levels()),
                               static_cast<const Real*>(tables_.data()), stride_, by_site_);
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
                   std::span<Real> expected, int num_threads) {
    const Forward<Hops, Real> forward(hops, opening);
    parallel_ranges(
        hops.n_customers, customers_per_chunk(hops.n_customers), num_threads,
        [&](std::size_t begin, std::size_t end, std::size_t, int) {
            forward.run(begin, end,
                        [&](std::size_t j, const double*, const CustomerSums& sums,
                            const Nearest&) { expected[j] = static_cast<Real>(sums.expected); });
        });
}

template <class Hops, class Real>
void expected_hops_gradient(const HopTable<Hops>& hops, std::span<const Real> opening,
                            std::span<const Real> upstream, std::span<Real> expected,
                            std::span<Real> gradient, int num_threads) {
    const Forward<Hops, Real> forward(hops, opening);
    const Closed& closed = forward.closed();
    const std::size_t n = hops.n_sites;
    Partials<Real> partials(hops.n_customers, n + closed.sure.size());
    parallel_ranges(hops.n_customers, customers_per_chunk(hops.n_customers), num_threads,
                    [&](std::size_t begin, std::size_t end, std::size_t index, int) {
                        BackwardChunk<Hops, Real> chunk(hops, partials.of_chunk(index));
                        forward.run(begin, end,
                                    [&](std::size_t j, const double* from_level,
                                        const CustomerSums& sums, const Nearest& nearest) {
                                        expected[j] = static_cast<Real>(sums.expected);
                                        chunk.add(j, upstream[j], from_level, sums.sure, nearest);
                                    });
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

template <class Hops, class Real>
double mean_expected_hops(const HopTable<Hops>& hops, std::span<const Real> opening,
                          std::span<Real> gradient, int num_threads) {
    const auto n = static_cast<double>(std::max<std::size_t>(1, hops.n_customers));
    std::vector<Real> expected(hops.n_customers);
    const std::vector<Real> upstream(hops.n_customers, static_cast<Real>(1.0 / n));
    expected_hops_gradient(hops, opening, std::span<const Real>(upstream),
                           std::span<Real>(expected), gradient, num_threads);
    return std::accumulate(expected.begin(), expected.end(), 0.0) / n;
}

#define GRAPHOPT_INSTANTIATE(Hops, Real)                                                          \
    template void expected_hops(const HopTable<Hops>&, std::span<const Real>, std::span<Real>,    \
                                int);                                                             \
    template void expected_hops_gradient(const HopTable<Hops>&, std::span<const Real>,            \
                                         std::span<const Real>, std::span<Real>, std::span<Real>, \
                                         int);                                                    \
    template double mean_expected_hops(const HopTable<Hops>&, std::span<const Real>,              \
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
