// Runs one of the main kernels on a small fixed input, on one thread, for `count.py` to count its
// instructions. Whether the answers are right is the tests' business; here they must only be used.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "graphopt/centers/k_center.hpp"
#include "graphopt/centers/set_cover.hpp"
#include "graphopt/centers/swap_search.hpp"
#include "graphopt/clustering/soft_kmeans.hpp"
#include "graphopt/clustering/unit_rows.hpp"
#include "graphopt/communities/polish.hpp"
#include "graphopt/facility/facility.hpp"
#include "graphopt/paths/shortest_paths.hpp"
#include "graphopt/support/random.hpp"

using namespace graphopt;

// What runs inside is counted: callgrind knows this function by its name.
extern "C" [[gnu::noipa]] void counted(const std::function<void()>& kernel) { kernel(); }

namespace {

constexpr int one_thread = 1;

CsrView view(const Csr& csr) { return {csr.indptr, csr.indices, csr.weights}; }

// `draw_weight` is asked once an edge; without it the graph is unweighted.
Csr random_graph(std::size_t n, std::size_t m,
                 const std::function<double(SplitMix64&)>& draw_weight = {}) {
    SplitMix64 random(1, n * m);
    std::vector<std::int64_t> tails(m), heads(m);
    std::vector<double> weights(draw_weight ? m : 0);
    for (std::size_t i = 0; i < m; ++i) {
        tails[i] = static_cast<std::int64_t>(random.below(n));
        heads[i] = static_cast<std::int64_t>(random.below(n));
        if (draw_weight) weights[i] = draw_weight(random);
    }
    return build_csr(n, {tails, heads, weights}, {});
}

std::vector<NodeId> all_nodes(std::size_t n) {
    std::vector<NodeId> nodes(n);
    for (std::size_t i = 0; i < n; ++i) nodes[i] = static_cast<NodeId>(i);
    return nodes;
}

std::vector<std::uint8_t> hops_between_all(const Csr& graph) {
    const auto nodes = all_nodes(graph.indptr.size() - 1);
    std::vector<std::uint8_t> hops(nodes.size() * nodes.size());
    hop_distances(view(graph), false, nodes, no_hop_limit, std::span(hops), one_thread);
    return hops;
}

template <class T>
bool all_finite(const std::vector<T>& values) {
    return std::ranges::all_of(values, [](T value) { return std::isfinite(value); });
}

bool count_hop_distances() {
    const std::size_t n = 1000;
    const Csr graph = random_graph(n, 4 * n);
    const auto nodes = all_nodes(n);
    std::vector<std::uint8_t> hops(n * n, 1);
    bool fits = false;
    counted([&] {
        fits = hop_distances(view(graph), false, nodes, no_hop_limit, std::span(hops), one_thread);
    });
    return fits && hops[0] == 0 && hops[n + 1] == 0;
}

bool count_path_lengths(const std::function<double(SplitMix64&)>& draw_weight) {
    const std::size_t n = 500;
    const Csr graph = random_graph(n, 3 * n, draw_weight);
    const auto nodes = all_nodes(n);
    std::vector<double> lengths(n * n, 1.0);
    counted([&] {
        path_lengths(view(graph), false, nodes, unreachable<double>, std::span(lengths),
                     one_thread);
    });
    return lengths[0] == 0.0 && lengths[n + 1] == 0.0;
}

bool count_greedy_k_center() {
    const std::size_t n = 1000;
    const auto hops = hops_between_all(random_graph(n, 4 * n));
    KCenter found;
    counted([&] { found = greedy_k_center(std::span(hops), n, 10, one_thread); });
    return found.centers.size() == 10;
}

// From ten of the sites; costs double with every hop.
bool count_swap_search() {
    const std::size_t n = 1000;
    const auto hops = hops_between_all(random_graph(n, 4 * n));
    const auto largest = static_cast<std::size_t>(
        largest_finite_hop(std::span<const std::uint8_t>(hops), one_thread));
    std::vector<double> costs(largest + 1, 1.0);
    for (std::size_t hop = 1; hop < costs.size(); ++hop) costs[hop] = 2.0 * costs[hop - 1];
    const double lost = costs.back() * static_cast<double>(n + 1);
    const SwapProblem<std::uint8_t> problem{hops, n, n, costs, lost};
    SwapResult found;
    counted([&] { found = swap_search(problem, all_nodes(10), {}, one_thread); });
    return found.finished && found.n_swaps > 0;
}

bool count_reduce_cover() {
    const std::size_t n = 1000;
    const auto hops = hops_between_all(random_graph(n, 2 * n));
    const std::vector<std::uint8_t> limits(n, 3), all(n, 1);
    CoverRest rest;
    counted([&] {
        rest = reduce_cover(std::span<const std::uint8_t>(hops), limits, all, all, one_thread);
    });
    return rest.finished && rest.sites.size() < n && rest.customers.size() < n;
}

bool count_polish() {
    const std::size_t n = 1000, n_groups = 10;
    const Csr graph = random_graph(n, 4 * n);
    std::vector<NodeId> start(n), labels(n, -1);
    for (std::size_t i = 0; i < n; ++i) start[i] = static_cast<NodeId>(i % n_groups);
    counted(
        [&] { polish(view(graph), start, 1, {n_groups, 1.0, true, 200, 1}, labels, one_thread); });
    return std::ranges::all_of(labels, [](NodeId label) { return label >= 0; }) && labels != start;
}

// Unit rows around ten directions, and what soft k-means makes of them.
struct Clustering {
    static constexpr std::size_t n = 500, width = 50, n_clusters = 10;

    std::vector<float> rows = std::vector<float>(n * width);
    std::vector<std::int64_t> offsets{0, n};
    std::vector<float> start, centers = std::vector<float>(n_clusters * width);
    std::vector<float> assignment = std::vector<float>(n * n_clusters);
    std::vector<float> history = centers, mass = std::vector<float>(n_clusters);

    Clustering() {
        SplitMix64 random(2);
        const auto draw = [&] { return static_cast<float>(random.uniform() - 0.5); };
        std::vector<float> directions(n_clusters * width), raw(n * width), lengths(n);
        std::ranges::generate(directions, draw);
        for (std::size_t i = 0; i < n * width; ++i) {
            raw[i] = directions[i % (n_clusters * width)] + 0.7f * draw();
        }
        unit_rows<float>(raw, width, one_thread, rows, lengths);
        start.assign(rows.begin(), rows.begin() + n_clusters * width);
    }

    SoftKMeansProblem<float> problem() const {
        return {rows, offsets, width, n_clusters, 10.0f, one_thread};
    }

    void run(std::size_t iterations) {
        soft_kmeans<float>(problem(), start, iterations, false,
                           {centers, assignment, history, mass, 1});
    }
};

bool count_soft_kmeans() {
    Clustering clustering;
    counted([&] { clustering.run(10); });
    return all_finite(clustering.assignment);
}

bool count_soft_kmeans_solve() {
    Clustering clustering;
    clustering.run(50);
    // At a fixed point the centres before the last update and after it are the same.
    const SoftKMeansPoint<float> point{clustering.centers, clustering.centers, clustering.mass,
                                       clustering.assignment};
    std::vector<float> u(clustering.centers.size());
    std::vector<GmresReport> reports(1);
    counted([&] {
        soft_kmeans_solve<float>(clustering.problem(), point, clustering.start,
                                 {.tolerance = 1e-6, .max_iterations = 200}, u, reports);
    });
    return reports[0].converged;
}

bool count_expected_hops() {
    const std::size_t n = 1000;
    const auto hops = hops_between_all(random_graph(n, 4 * n));
    const auto largest = static_cast<std::size_t>(
        largest_finite_hop(std::span<const std::uint8_t>(hops), one_thread));
    const std::vector<double> steps(largest + 2, 1.0);
    const HopTable<std::uint8_t> table{hops, n, n, steps};
    const std::vector<float> opening(n, 0.01f), upstream(n, 1.0f / static_cast<float>(n));
    std::vector<float> expected(n), gradient(n);
    counted([&] {
        expected_hops_gradient<std::uint8_t, float>(table, opening, upstream, expected, gradient,
                                                    one_thread);
    });
    return all_finite(expected) && all_finite(gradient);
}

const std::map<std::string, std::function<bool()>> kernels{
    {"hop_distances", count_hop_distances},
    {"path_lengths_real",
     [] { return count_path_lengths([](SplitMix64& random) { return 0.5 + random.uniform(); }); }},
    {"path_lengths_whole",
     [] {
         return count_path_lengths(
             [](SplitMix64& random) { return static_cast<double>(1 + random.below(20)); });
     }},
    {"greedy_k_center", count_greedy_k_center},
    {"swap_search", count_swap_search},
    {"reduce_cover", count_reduce_cover},
    {"polish", count_polish},
    {"soft_kmeans", count_soft_kmeans},
    {"soft_kmeans_solve", count_soft_kmeans_solve},
    {"expected_hops_and_gradient", count_expected_hops},
};

}  // namespace

// Without an argument: the names of the kernels. With one: runs that kernel.
int main(int argc, char** argv) {
    if (argc < 2) {
        for (const auto& [name, run] : kernels) std::puts(name.c_str());
        return 0;
    }
    const auto kernel = kernels.find(argv[1]);
    if (kernel == kernels.end() || !kernel->second()) {
        std::fprintf(stderr, "%s: no such kernel, or no answer\n", argv[1]);
        return 1;
    }
    return 0;
}
