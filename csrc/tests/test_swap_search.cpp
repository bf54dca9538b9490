#include <algorithm>
#include <cmath>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "check.hpp"
#include "graphopt/centers/swap_search.hpp"
#include "graphopt/paths/shortest_paths.hpp"
#include "graphopt/support/distance_types.hpp"
#include "graphopt/support/random.hpp"

using namespace graphopt;

namespace {

// Whole costs, so that sums are exact in any order.
constexpr double cost_of_level(std::size_t level) { return static_cast<double>(level * level); }
constexpr std::size_t n_levels = 12;

template <class T>
struct Instance {
    std::size_t n_sites, n_customers;
    std::vector<T> table;
    std::vector<double> levels, weights;

    Instance(std::size_t sites, std::size_t customers, std::uint64_t seed)
        : n_sites(sites), n_customers(customers), table(sites * customers) {
        SplitMix64 random(seed, 1);
        for (T& entry : table) {
            const std::size_t level = random.below(n_levels);
            if constexpr (std::is_integral_v<T>) {
                // Entries beyond the last level cost the same, and here the unreachable ones too.
                const T beyond = random.below(2) == 0 ? T{100} : unreachable<T>;
                entry = level == n_levels - 1 ? beyond : static_cast<T>(level);
            } else {
                entry = static_cast<T>(cost_of_level(level));
            }
        }
        if constexpr (std::is_integral_v<T>) {
            for (std::size_t level = 0; level < n_levels; ++level) {
                levels.push_back(cost_of_level(level));
            }
        }
        for (std::size_t j = 0; j < customers; ++j) {
            weights.push_back(static_cast<double>(random.below(4)));
        }
    }

    SwapProblem<T> problem(std::size_t n_scenarios, double tail) const {
        return {table,   n_sites,     n_customers, levels, cost_of_level(n_levels - 1),
                weights, n_scenarios, tail};
    }

    double cost(std::size_t site, std::size_t customer) const {
        const T entry = table[site * n_customers + customer];
        if constexpr (std::is_integral_v<T>) {
            return levels[std::min<std::size_t>(entry, levels.size() - 1)] * weights[customer];
        } else {
            return static_cast<double>(entry) * weights[customer];
        }
    }

    double objective(const std::vector<NodeId>& sites, std::size_t n_scenarios, double tail) const {
        std::vector<double> totals(n_scenarios, 0.0);
        for (std::size_t j = 0; j < n_customers; ++j) {
            double least = INFINITY;
            for (const NodeId site : sites) {
                least = std::min(least, cost(static_cast<std::size_t>(site), j));
            }
            totals[j / (n_customers / n_scenarios)] += least;
        }
        std::sort(totals.rbegin(), totals.rend());
        double sum = 0.0;
        for (std::size_t s = 0; s < n_scenarios; ++s) {
            sum += totals[s] * std::clamp(tail - static_cast<double>(s), 0.0, 1.0);
        }
        return sum / tail;
    }
};

template <class T>
void no_swap_improves_what_is_found() {
    for (const std::size_t n_sites : {5UL, 70UL, 600UL}) {
        for (const double tail : {3.0, 1.5}) {
            const Instance<T> instance(n_sites, 3 * 67, n_sites);
            const std::vector<NodeId> start{2, 0, 4};
            const auto problem = instance.problem(3, tail);
            const SwapResult found = swap_search(problem, start, {}, 1);
            CHECK(found.finished);
            CHECK(std::abs(found.cost - instance.objective(found.centers, 3, tail)) < 1e-9);
            CHECK(found.cost <= instance.objective(start, 3, tail));
            for (std::size_t place = 0; place < start.size(); ++place) {
                for (std::size_t site = 0; site < n_sites; ++site) {
                    auto other = found.centers;
                    other[place] = static_cast<NodeId>(site);
                    CHECK(instance.objective(other, 3, tail) >= found.cost - 1e-9);
                }
            }
            for (const int threads : {2, 3, 8}) {
                const SwapResult again = swap_search(problem, start, {}, threads);
                CHECK(again.centers == found.centers && again.cost == found.cost);
            }
        }
    }
}

template <class T>
void rules_are_kept() {
    const Instance<T> instance(90, 160, 8);
    std::vector<std::uint8_t> may_open(90, 0);
    for (std::size_t site = 0; site < 90; site += 3) may_open[site] = 1;
    const std::vector<NodeId> start{5, 0, 3};
    SwapRules rules;
    rules.may_open = may_open;
    rules.n_fixed = 1;
    rules.first_site = 50;
    const SwapResult found = swap_search(instance.problem(1, 1.0), start, rules, 1);
    CHECK(found.centers[0] == 5);
    CHECK(found.n_swaps > 1);
    for (std::size_t place = 1; place < 3; ++place) CHECK(found.centers[place] % 3 == 0);

    rules.max_swaps = 1;
    const SwapResult one = swap_search(instance.problem(1, 1.0), start, rules, 1);
    CHECK(one.n_swaps == 1 && !one.finished);
    rules.seconds = 0.0;
    const SwapResult none = swap_search(instance.problem(1, 1.0), start, rules, 1);
    CHECK(none.n_swaps == 0 && none.centers == start);
    rules.n_fixed = 3;
    rules.seconds = 10.0;
    CHECK(swap_search(instance.problem(1, 1.0), start, rules, 1).centers == start);
}

template <class T>
void one_site_is_the_median() {
    const Instance<T> instance(130, 64, 3);
    const std::vector<NodeId> start{9};
    const SwapResult found = swap_search(instance.problem(1, 1.0), start, {}, 2);
    double best = INFINITY;
    for (NodeId site = 0; site < 130; ++site) {
        best = std::min(best, instance.objective({site}, 1, 1.0));
    }
    CHECK(found.cost == best);
}

// Many threads take part only where there is enough to do for them.
void large_tables_give_the_same_at_any_number_of_threads() {
    const Instance<std::uint8_t> instance(300, 20'000, 11);
    const std::vector<NodeId> start{0, 1, 2, 3};
    const auto problem = instance.problem(2, 2.0);
    const SwapResult found = swap_search(problem, start, {}, 1);
    CHECK(found.n_swaps > 0);
    for (const int threads : {2, 3, 8}) {
        const SwapResult again = swap_search(problem, start, {}, threads);
        CHECK(again.centers == found.centers && again.cost == found.cost);
    }
}

template <class T>
void everything() {
    no_swap_improves_what_is_found<T>();
    rules_are_kept<T>();
    one_site_is_the_median<T>();
}

}  // namespace

int main() {
    for_each_distance_type([]<class T>() { everything<T>(); });
    large_tables_give_the_same_at_any_number_of_threads();
}
