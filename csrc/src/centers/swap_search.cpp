#include "graphopt/centers/swap_search.hpp"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstring>
#include <functional>
#include <type_traits>

#include "graphopt/paths/shortest_paths.hpp"
#include "graphopt/support/parallel.hpp"
#include "graphopt/support/simd.hpp"

namespace graphopt {
namespace {

constexpr std::size_t sites_per_block = 256;  // between two swaps
constexpr std::size_t sites_per_chunk = 16;
constexpr std::size_t entries_worth_threads = std::size_t{1} << 22;  // in a block: milliseconds
constexpr std::int32_t nobody = -1;

// Costs, with the customers that are not reached (weighted) apart: their price is so high that
// sums of it and of other costs would keep little of the others.
struct Cost {
    double finite = 0.0;
    double lost = 0.0;

    GRAPHOPT_ALWAYS_INLINE Cost& operator+=(const Cost& other) {
        finite += other.finite;
        lost += other.lost;
        return *this;
    }
    GRAPHOPT_ALWAYS_INLINE Cost& operator-=(const Cost& other) {
        finite -= other.finite;
        lost -= other.lost;
        return *this;
    }
};

// What a customer has: positions of its nearest and second nearest open site, the first on ties.
template <class T>
struct Served {
    std::vector<std::int32_t> first, second;
    std::vector<T> near, next;      // their entries; unreachable where there is none
    std::vector<Cost> pays, spare;  // what they cost, times the customer's weight

    explicit Served(std::size_t n)
        : first(n, nobody),
          second(n, nobody),
          near(n, unreachable<T>),
          next(n, unreachable<T>),
          pays(n),
          spare(n) {}
};

// What one thread needs to judge a site.
struct Workspace {
    std::vector<Cost> saved;     // by place: what opening the site saves where that place closes
    std::vector<Cost> change;    // by scenario and place: what the swap changes the cost by
    std::vector<double> totals;  // by scenario

    Workspace(std::size_t k, std::size_t n_scenarios)
        : saved(k), change(n_scenarios * k), totals(n_scenarios) {}
};

struct Swap {
    double saving = 0.0;  // 0: none
    std::size_t site = 0;
    std::size_t place = 0;
};

template <class T>
class Search {
  public:
    Search(const SwapProblem<T>& problem, std::span<const NodeId> start, const SwapRules& rules,
           int num_threads)
        : problem_(problem),
          rules_(rules),
          num_threads_(problem.n_customers * sites_per_block < entries_worth_threads ? 1
                                                                                     : num_threads),
          k_(start.size()),
          per_scenario_(problem.n_customers / problem.n_scenarios),
          centers_(start.begin(), start.end()),
          open_(problem.n_sites, 0),
          served_(problem.n_customers),
          losses_(problem.n_scenarios * k_),
          scales_(problem.n_scenarios * k_),
          totals_(problem.n_scenarios),
          rounding_(0x1p-51 * static_cast<double>(problem.n_customers + 64)),
          total_weight_(problem.weights.empty() ? static_cast<double>(problem.n_customers) : 0.0) {
        for (const double weight : problem.weights) total_weight_ += weight;
        for (const NodeId center : centers_) open_[static_cast<std::size_t>(center)] = 1;
        for (std::size_t j = 0; j < problem_.n_customers; ++j) look_again(j);
        add_up();
    }

    SwapResult run() {
        const auto begin = std::chrono::steady_clock::now();
        const auto late = [&] {
            const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin;
            return passed.count() >= rules_.seconds;
        };
        const std::vector<std::size_t> sites = closed_sites();
        SwapResult result;
        std::size_t since_last = 0, position = 0;  // of the sites
        while (since_last < sites.size() && result.n_swaps < rules_.max_swaps && !late()) {
            const std::size_t size = std::min(sites_per_block, sites.size() - position);
            const Swap swap = best_swap(std::span(sites).subspan(position, size));
            since_last += size;
            position = (position + size) % sites.size();
            if (swap.saving <= 0.0) continue;
            exchange(swap);
            ++result.n_swaps;
            since_last = 0;
        }
        result.finished = since_last >= sites.size();
        result.centers = centers_;
        result.cost = objective_;
        return result;
    }

    // The best swap that opens one of the sites from `begin` to `end`, if it beats `best`.
    GRAPHOPT_ALWAYS_INLINE void judge(std::span<const std::size_t> sites, Workspace& space,
                                      Swap& best) const {
        for (const std::size_t site : sites) {
            if (open_[site] != 0) continue;
            for (std::size_t scenario = 0; scenario < problem_.n_scenarios; ++scenario) {
                judge_scenario(site, scenario, space);
            }
            for (std::size_t place = rules_.n_fixed; place < k_; ++place) {
                const double saving = saving_of(place, space);
                if (saving > best.saving ||
                    (saving == best.saving && saving > 0.0 && site < best.site)) {
                    best = {saving, site, place};
                }
            }
        }
    }

  private:
    const T* row_of(std::size_t site) const {
        return problem_.table.data() + site * problem_.n_customers;
    }

    GRAPHOPT_ALWAYS_INLINE Cost cost_of(T entry, std::size_t customer) const {
        const double weight = problem_.weights.empty() ? 1.0 : problem_.weights[customer];
        if (entry == unreachable<T>) return {0.0, weight};
        if constexpr (std::is_integral_v<T>) {
            const std::size_t level = std::min<std::size_t>(entry, problem_.costs.size() - 1);
            return {problem_.costs[level] * weight, 0.0};
        } else {
            return {static_cast<double>(entry) * weight, 0.0};
        }
    }

    double total(const Cost& cost) const { return cost.finite + cost.lost * problem_.lost; }

    // The sites that may be opened at some time, from `first_site` on and round.
    std::vector<std::size_t> closed_sites() const {
        std::vector<std::size_t> sites;
        for (std::size_t i = 0; i < problem_.n_sites; ++i) {
            const std::size_t site = (rules_.first_site + i) % problem_.n_sites;
            if (rules_.may_open.empty() || rules_.may_open[site] != 0) sites.push_back(site);
        }
        return sites;
    }

    Swap best_swap(std::span<const std::size_t> sites) {
        std::vector<Swap> found(chunk_count(sites.size(), sites_per_chunk));
        spaces_.resize(static_cast<std::size_t>(usable_threads(num_threads_, found.size())),
                       Workspace(k_, problem_.n_scenarios));
        parallel_ranges(sites.size(), sites_per_chunk, num_threads_,
                        [&](std::size_t begin, std::size_t end, std::size_t chunk, int worker) {
                            Workspace& space = spaces_[static_cast<std::size_t>(worker)];
                            for (std::size_t i = begin; i < end; ++i) {
                                judge_sites(*this, sites.subspan(i, 1), space, found[chunk]);
                                count_work(problem_.n_customers + 12 * k_ * problem_.n_scenarios);
                            }
                        });
        Swap best;
        for (const Swap& swap : found) {
            const bool tie = swap.saving == best.saving && swap.saving > 0.0;
            if (swap.saving > best.saving || (tie && swap.site < best.site)) best = swap;
        }
        return best;
    }

    // Leaves in `space.change` what opening the site changes a scenario's cost by, for each place
    // that may close: + loss of the place - what the site saves.
    GRAPHOPT_ALWAYS_INLINE void judge_scenario(std::size_t site, std::size_t scenario,
                                               Workspace& space) const {
        const std::size_t begin = scenario * per_scenario_, end = begin + per_scenario_;
        const T* const row = row_of(site);
        Cost gain;
        std::fill(space.saved.begin(), space.saved.end(), Cost{});
        Cost* const saved = space.saved.data();
        // Only of sites that reach the customer, who then has no lost cost.
        const auto served = [&](std::size_t j) __attribute__((always_inline)) {
            Cost& place = saved[served_.first[j]];
            const double cost = cost_of(row[j], j).finite;
            place += served_.spare[j];
            if (row[j] < served_.near[j]) {
                gain += served_.pays[j];
                gain.finite -= cost;
                place -= served_.pays[j];
            } else {
                place.finite -= cost;
            }
        };
        std::size_t j = begin;
        if constexpr (sizeof(T) == 1) {
            for (; j + sizeof(uint8x64) <= end; j += sizeof(uint8x64)) {
                uint8x64 entries, limits;
                std::memcpy(&entries, row + j, sizeof(entries));
                std::memcpy(&limits, served_.next.data() + j, sizeof(limits));
                const auto nearer = entries < limits;
                std::uint64_t words[sizeof(uint8x64) / sizeof(std::uint64_t)];
                std::memcpy(words, &nearer, sizeof(words));
                for (std::size_t w = 0; w < std::size(words); ++w) {
                    for (std::uint64_t word = words[w]; word != 0;) {
                        const int bit = std::countr_zero(word) & ~7;
                        const auto byte = static_cast<std::size_t>(bit / 8);
                        word &= ~(std::uint64_t{0xFF} << bit);
                        const bool little = std::endian::native == std::endian::little;
                        served(j + 8 * w + (little ? byte : 7 - byte));
                    }
                }
            }
        }
        for (; j < end; ++j) {
            if (row[j] < served_.next[j]) served(j);
        }
        Cost* const change = space.change.data() + scenario * k_;
        const Cost* const losses = losses_.data() + scenario * k_;
        for (std::size_t place = 0; place < k_; ++place) {
            change[place] = losses[place];
            change[place] -= saved[place];
            change[place] -= gain;
        }
    }

    // What a swap lowers the objective by; 0 where that may be rounding.
    double saving_of(std::size_t place, Workspace& space) const {
        const auto scenarios = static_cast<double>(problem_.n_scenarios);
        double saving = 0.0, scale = 0.0;
        for (std::size_t s = 0; s < problem_.n_scenarios; ++s) scale += scales_[s * k_ + place];
        if (problem_.tail >= scenarios) {
            Cost change;
            for (std::size_t s = 0; s < problem_.n_scenarios; ++s) {
                change += settled(space.change[s * k_ + place]);
            }
            saving = -total(change) / scenarios;
            scale = scale / scenarios + std::abs(saving);
        } else {
            for (std::size_t s = 0; s < problem_.n_scenarios; ++s) {
                Cost changed = totals_[s];
                changed += settled(space.change[s * k_ + place]);
                space.totals[s] = total(changed);
            }
            const double value = objective(space.totals);
            saving = objective_ - value;
            scale = scale / problem_.tail + objective_ + value;
        }
        return saving > rounding_ * scale ? saving : 0.0;
    }

    // Weights that are not whole leave a rest where none is lost: not to be priced.
    Cost settled(Cost change) const {
        if (std::abs(change.lost) <= rounding_ * total_weight_) change.lost = 0.0;
        return change;
    }

    // Of the scenarios' costs, which are put in order.
    double objective(std::vector<double>& totals) const {
        const auto scenarios = static_cast<double>(totals.size());
        if (problem_.tail >= scenarios) {
            double sum = 0.0;
            for (const double total : totals) sum += total;
            return sum / scenarios;
        }
        std::sort(totals.begin(), totals.end(), std::greater<>());
        double sum = 0.0, left = problem_.tail;
        for (std::size_t s = 0; s < totals.size() && left > 0.0; ++s) {
            sum += std::min(left, 1.0) * totals[s];
            left -= 1.0;
        }
        return sum / problem_.tail;
    }

    // Finds a customer's nearest two sites among all that are open.
    void look_again(std::size_t j) {
        std::int32_t first = nobody, second = nobody;
        count_work(8 + 8 * k_);
        for (std::size_t place = 0; place < k_; ++place) {
            const T entry = entry_of(place, j);
            if (first == nobody || entry < entry_of(static_cast<std::size_t>(first), j)) {
                second = first;
                first = static_cast<std::int32_t>(place);
            } else if (second == nobody || entry < entry_of(static_cast<std::size_t>(second), j)) {
                second = static_cast<std::int32_t>(place);
            }
        }
        set(j, first, second);
    }

    T entry_of(std::size_t place, std::size_t j) const {
        return row_of(static_cast<std::size_t>(centers_[place]))[j];
    }

    void set(std::size_t j, std::int32_t first, std::int32_t second) {
        served_.first[j] = first;
        served_.near[j] = entry_of(static_cast<std::size_t>(first), j);
        served_.pays[j] = cost_of(served_.near[j], j);
        served_.second[j] = second;
        // Where k = 1, the price for being served by nobody cancels.
        const bool alone = second == nobody;
        served_.next[j] = alone ? unreachable<T> : entry_of(static_cast<std::size_t>(second), j);
        served_.spare[j] = cost_of(served_.next[j], j);
    }

    void exchange(const Swap& swap) {
        const auto place = static_cast<std::int32_t>(swap.place);
        open_[static_cast<std::size_t>(centers_[swap.place])] = 0;
        open_[swap.site] = 1;
        centers_[swap.place] = static_cast<NodeId>(swap.site);
        const T* const row = row_of(swap.site);
        for (std::size_t j = 0; j < problem_.n_customers; ++j) {
            const bool had = served_.first[j] == place || served_.second[j] == place;
            if (had || !(row[j] > served_.next[j])) look_again(j);
        }
        count_work(2 * problem_.n_customers);
        add_up();
    }

    void add_up() {
        count_work(8 * problem_.n_customers);
        std::fill(losses_.begin(), losses_.end(), Cost{});
        std::fill(scales_.begin(), scales_.end(), 0.0);
        std::vector<double> totals(problem_.n_scenarios);
        for (std::size_t s = 0; s < problem_.n_scenarios; ++s) {
            totals_[s] = {};
            for (std::size_t j = s * per_scenario_; j < (s + 1) * per_scenario_; ++j) {
                const std::size_t at = s * k_ + static_cast<std::size_t>(served_.first[j]);
                totals_[s] += served_.pays[j];
                losses_[at] += served_.spare[j];
                losses_[at] -= served_.pays[j];
                scales_[at] += served_.spare[j].finite;
            }
            for (std::size_t place = 0; place < k_; ++place) {
                scales_[s * k_ + place] += totals_[s].finite;
            }
            totals[s] = total(totals_[s]);
        }
        objective_ = objective(totals);
    }

    const SwapProblem<T>& problem_;
    const SwapRules& rules_;
    int num_threads_;
    std::size_t k_;
    std::size_t per_scenario_;
    std::vector<NodeId> centers_;
    std::vector<std::uint8_t> open_;
    Served<T> served_;
    std::vector<Cost> losses_;    // by scenario and place: what closing it costs
    std::vector<double> scales_;  // the same: what rounding is in proportion to
    std::vector<Cost> totals_;    // by scenario
    double rounding_;             // how wrong sums may be, relatively
    double total_weight_;
    double objective_ = 0.0;
    std::vector<Workspace> spaces_;
};

#define GRAPHOPT_JUDGE_SITES(T)                                                   \
    GRAPHOPT_MULTIVERSION_FN                                                      \
    void judge_sites(const Search<T>& search, std::span<const std::size_t> sites, \
                     Workspace& space, Swap& best) {                              \
        search.judge(sites, space, best);                                         \
    }
GRAPHOPT_JUDGE_SITES(std::uint8_t)
GRAPHOPT_JUDGE_SITES(std::uint16_t)
GRAPHOPT_JUDGE_SITES(std::uint32_t)
GRAPHOPT_JUDGE_SITES(float)
GRAPHOPT_JUDGE_SITES(double)
#undef GRAPHOPT_JUDGE_SITES

template <class T>
SwapResult search(const SwapProblem<T>& problem, std::span<const NodeId> start,
                  const SwapRules& rules, int num_threads) {
    return Search<T>(problem, start, rules, num_threads).run();
}

}  // namespace

SwapResult swap_search(const SwapProblem<std::uint8_t>& problem, std::span<const NodeId> start,
                       const SwapRules& rules, int num_threads) {
    return search(problem, start, rules, num_threads);
}
SwapResult swap_search(const SwapProblem<std::uint16_t>& problem, std::span<const NodeId> start,
                       const SwapRules& rules, int num_threads) {
    return search(problem, start, rules, num_threads);
}
SwapResult swap_search(const SwapProblem<std::uint32_t>& problem, std::span<const NodeId> start,
                       const SwapRules& rules, int num_threads) {
    return search(problem, start, rules, num_threads);
}
SwapResult swap_search(const SwapProblem<float>& problem, std::span<const NodeId> start,
                       const SwapRules& rules, int num_threads) {
    return search(problem, start, rules, num_threads);
}
SwapResult swap_search(const SwapProblem<double>& problem, std::span<const NodeId> start,
                       const SwapRules& rules, int num_threads) {
    return search(problem, start, rules, num_threads);
}

}  // namespace graphopt
