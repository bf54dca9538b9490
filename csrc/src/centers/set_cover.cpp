#include "graphopt/centers/set_cover.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>

#include "bit_matrix.hpp"
#include "graphopt/support/parallel.hpp"
#include "graphopt/support/simd.hpp"
#include "support/counted.hpp"

namespace graphopt {
namespace {

constexpr std::size_t sets_per_chunk = 32;

template <class T>
GRAPHOPT_ALWAYS_INLINE void within(const T* distances, const T* limits, std::size_t n,
                                   BitMatrix::Word* words) {
    for (std::size_t begin = 0; begin < n; begin += BitMatrix::bits) {
        const std::size_t width = std::min(n - begin, BitMatrix::bits);
        BitMatrix::Word word = 0;
        for (std::size_t i = 0; i < width; ++i) {
            word |= static_cast<BitMatrix::Word>(distances[begin + i] <= limits[begin + i]) << i;
        }
        words[begin / BitMatrix::bits] = word;
    }
}

// One side of the incidence: sets (rows) of elements, which of them are left, and how large.
struct Side {
    BitMatrix sets;
    std::vector<std::uint8_t> left;
    std::vector<std::size_t> size;

    Side(BitMatrix&& matrix, std::span<const std::uint8_t> exists)
        : sets(std::move(matrix)), left(exists.begin(), exists.end()), size(exists.size()) {}

    // Elements that are gone leave the sets.
    void restrict_to(const std::vector<std::uint8_t>& elements, int num_threads) {
        std::vector<BitMatrix::Word> mask(sets.words(), 0);
        for (std::size_t e = 0; e < elements.size(); ++e) {
            if (elements[e] != 0)
                mask[e / BitMatrix::bits] |= BitMatrix::Word{1} << (e % BitMatrix::bits);
        }
        parallel_ranges(sets.rows(), sets_per_chunk, num_threads,
                        [&](std::size_t begin, std::size_t end, std::size_t, int) {
                            for (std::size_t i = begin; i < end; ++i) {
                                if (left[i] == 0) continue;
                                BitMatrix::Word* const row = sets.row(i);
                                count_work(mask.size());
                                for (std::size_t w = 0; w < mask.size(); ++w) row[w] &= mask[w];
                                size[i] = sets.count(i);
                            }
                        });
    }
};

class Deadline {
  public:
    explicit Deadline(double seconds) : seconds_(seconds) {}
    bool passed() const {
        return std::chrono::duration<double>(Clock::now() - start_).count() > seconds_;
    }

  private:
    using Clock = std::chrono::steady_clock;
    Clock::time_point start_ = Clock::now();
    double seconds_;
};

// Calls visit(a, b) for pairs of sets that are left, a != b, a a subset of b (or equal to it and
// a < b), until visit returns false for this a. All supersets of `a` share each of its elements, so
// the element in the fewest sets names all that need a look. Runs on all threads; after the
// deadline not to the end.
template <class Visit>
void for_each_subset(const Side& side, const Side& elements, const Deadline& deadline,
                     int num_threads, Visit&& visit) {
    parallel_ranges(side.sets.rows(), sets_per_chunk, num_threads,
                    [&](std::size_t begin, std::size_t end, std::size_t, int) {
                        WorkCounter count;
                        for (std::size_t a = begin; a < end; ++a) {
                            if (side.left[a] == 0 || side.size[a] == 0) continue;
                            if (deadline.passed()) return;
                            std::size_t rarest = elements.sets.rows();
                            count(2 * side.sets.words() + side.size[a]);
                            side.sets.for_each(a, [&](std::size_t e) {
                                if (rarest == elements.sets.rows() ||
                                    elements.size[e] < elements.size[rarest]) {
                                    rarest = e;
                                }
                            });
                            bool going = true;
                            elements.sets.for_each(rarest, [&](std::size_t b) {
                                if (!going || b == a || side.size[b] < side.size[a]) return;
                                if (side.size[b] == side.size[a] && b < a && !visit.equal_below)
                                    return;
                                if (side.size[b] == side.size[a] && b > a && visit.equal_below)
                                    return;
                                count(8 + side.sets.words() / 8);
                                if (side.sets.subset(a, b)) going = visit(a, b);
                            });
                        }
                    });
}

// Marks are only ever set, and whether one is set depends on the sets alone: the same at any number
// of threads.
class Marks {
  public:
    explicit Marks(std::size_t n) : marks_(n) {}
    void set(std::size_t i) noexcept { marks_[i].store(1, std::memory_order_relaxed); }
    // Takes what is marked out of `left`; true if there was any.
    bool take_out_of(std::vector<std::uint8_t>& left) const {
        bool any = false;
        for (std::size_t i = 0; i < left.size(); ++i) {
            if (marks_[i].load(std::memory_order_relaxed) != 0 && left[i] != 0) {
                left[i] = 0;
                any = true;
            }
        }
        return any;
    }

  private:
    std::vector<std::atomic<std::uint8_t>> marks_;
};

// Who is served by all sites that serve another customer is served with him.
bool drop_customers(Side& customers, const Side& sites, const Deadline& deadline, int num_threads) {
    Marks marks(customers.left.size());
    struct {
        Marks& marks;
        bool equal_below = false;
        bool operator()(std::size_t, std::size_t larger) const {
            marks.set(larger);
            return true;
        }
    } drop_larger{marks};
    for_each_subset(customers, sites, deadline, num_threads, drop_larger);
    return marks.take_out_of(customers.left);
}

// A site is of no use beside one that serves the same customers and perhaps more.
bool drop_sites(Side& sites, const Side& customers, const Deadline& deadline, int num_threads) {
    Marks marks(sites.left.size());
    struct {
        Marks& marks;
        bool equal_below = true;
        bool operator()(std::size_t smaller, std::size_t) const {
            marks.set(smaller);
            return false;
        }
    } drop_smaller{marks};
    for_each_subset(sites, customers, deadline, num_threads, drop_smaller);
    for (std::size_t s = 0; s < sites.left.size(); ++s) {
        if (sites.left[s] != 0 && sites.size[s] == 0) marks.set(s);
    }
    return marks.take_out_of(sites.left);
}

// Opens the sites that alone serve somebody.
bool force_sites(Side& sites, Side& customers, std::vector<NodeId>& forced) {
    bool any = false;
    for (std::size_t j = 0; j < customers.left.size(); ++j) {
        if (customers.left[j] == 0 || customers.size[j] != 1) continue;
        count_work(customers.sets.words() + sites.sets.words() * BitMatrix::bits);
        customers.sets.for_each(j, [&](std::size_t s) {
            if (sites.left[s] == 0) return;  // opened for an earlier customer
            sites.left[s] = 0;
            forced.push_back(static_cast<NodeId>(s));
            sites.sets.for_each(s, [&](std::size_t served) { customers.left[served] = 0; });
        });
        any = true;
    }
    return any;
}

CoverRest rest_of(const Side& sites, const Side& customers, std::vector<NodeId>&& forced) {
    CoverRest rest;
    rest.forced = std::move(forced);
    std::sort(rest.forced.begin(), rest.forced.end());
    std::vector<std::int32_t> position(sites.left.size(), -1);
    for (std::size_t s = 0; s < sites.left.size(); ++s) {
        if (sites.left[s] == 0) continue;
        position[s] = static_cast<std::int32_t>(rest.sites.size());
        rest.sites.push_back(static_cast<NodeId>(s));
    }
    rest.indptr.push_back(0);
    for (std::size_t j = 0; j < customers.left.size(); ++j) {
        if (customers.left[j] == 0) continue;
        rest.customers.push_back(static_cast<NodeId>(j));
        count_work(customers.sets.words() + 2 * customers.size[j]);
        customers.sets.for_each(j, [&](std::size_t s) { rest.served.push_back(position[s]); });
        rest.indptr.push_back(static_cast<EdgeOffset>(rest.served.size()));
    }
    return rest;
}

template <class T>
CoverRest reduce(std::span<const T> distances, std::span<const T> limits,
                 std::span<const std::uint8_t> may_open, std::span<const std::uint8_t> needed,
                 int num_threads, const CoverLimits& most) {
    const std::size_t n_sites = may_open.size(), n_customers = needed.size();
    const Deadline deadline(most.seconds);
    const auto without_rest = [](bool feasible) {
        CoverRest none;
        none.feasible = feasible;
        none.finished = !feasible;
        return none;
    };
    BitMatrix serves(n_sites, n_customers);
    parallel_ranges(n_sites, sets_per_chunk, num_threads,
                    [&](std::size_t begin, std::size_t end, std::size_t, int) {
                        for (std::size_t s = begin; s < end; ++s) {
                            within(distances.data() + s * n_customers, limits.data(), n_customers,
                                   serves.row(s));
                            count_work(n_customers);
                        }
                    });
    Side customers(serves.transposed(n_customers, num_threads), needed);
    Side sites(std::move(serves), may_open);
    std::vector<NodeId> forced;
    for (bool changed = true; changed;) {
        sites.restrict_to(customers.left, num_threads);
        customers.restrict_to(sites.left, num_threads);
        for (std::size_t j = 0; j < n_customers; ++j) {
            if (customers.left[j] != 0 && customers.size[j] == 0) {
                return without_rest(false);
            }
        }
        if (deadline.passed()) return without_rest(true);
        changed = drop_customers(customers, sites, deadline, num_threads);
        if (changed) sites.restrict_to(customers.left, num_threads);
        if (drop_sites(sites, customers, deadline, num_threads)) {
            changed = true;
            customers.restrict_to(sites.left, num_threads);
        }
        if (force_sites(sites, customers, forced)) changed = true;
    }
    std::size_t entries = 0;
    for (std::size_t j = 0; j < n_customers; ++j) {
        if (customers.left[j] != 0) entries += customers.size[j];
    }
    if (deadline.passed() || entries > most.entries) return without_rest(true);
    return rest_of(sites, customers, std::move(forced));
}

}  // namespace

#define GRAPHOPT_REDUCE_COVER(T)                                                    \
    CoverRest reduce_cover(std::span<const T> distances, std::span<const T> limits, \
                           std::span<const std::uint8_t> may_open,                  \
                           std::span<const std::uint8_t> needed, int num_threads,   \
                           const CoverLimits& most) {                               \
        return reduce(distances, limits, may_open, needed, num_threads, most);      \
    }
GRAPHOPT_REDUCE_COVER(std::uint8_t)
GRAPHOPT_REDUCE_COVER(std::uint16_t)
GRAPHOPT_REDUCE_COVER(std::uint32_t)
GRAPHOPT_REDUCE_COVER(float)
GRAPHOPT_REDUCE_COVER(double)
#undef GRAPHOPT_REDUCE_COVER

}  // namespace graphopt
