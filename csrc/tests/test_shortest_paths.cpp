#include <algorithm>
#include <cmath>
#include <vector>

#include "check.hpp"
#include "graphopt/paths/shortest_paths.hpp"

using namespace graphopt;

namespace {

CsrView view(const Csr& csr) { return {csr.indptr, csr.indices, csr.weights}; }

Csr random_graph(std::size_t n, std::size_t m, bool directed, bool weighted) {
    std::uint64_t state = 12345;
    const auto draw = [&](std::size_t bound) {
        state = state * 6364136223846793005ULL + 1442695040888963407ULL;
        return static_cast<std::int64_t>((state >> 33) % bound);
    };
    std::vector<std::int64_t> u(m), v(m);
    std::vector<double> w(weighted ? m : 0);
    for (std::size_t i = 0; i < m; ++i) {
        u[i] = draw(n);
        v[i] = draw(n);
        if (weighted) w[i] = static_cast<double>(draw(4));  // zero lengths too
    }
    return build_csr(n, {u, v, w}, {.directed = directed});
}

Csr path_graph(std::size_t n) {
    std::vector<std::int64_t> u, v;
    for (std::size_t i = 0; i + 1 < n; ++i) {
        u.push_back(static_cast<std::int64_t>(i));
        v.push_back(static_cast<std::int64_t>(i + 1));
    }
    return build_csr(n, {u, v, {}}, {});
}

std::vector<NodeId> all_nodes(std::size_t n) {
    std::vector<NodeId> nodes(n);
    for (std::size_t i = 0; i < n; ++i) nodes[i] = static_cast<NodeId>(i);
    return nodes;
}

// Relaxes every edge until nothing changes.
std::vector<double> slow_distances(const CsrView& graph, NodeId source) {
    std::vector<double> d(graph.n_nodes(), unreachable<double>);
    d[static_cast<std::size_t>(source)] = 0;
    for (bool changed = true; changed;) {
        changed = false;
        for (std::size_t u = 0; u < graph.n_nodes(); ++u) {
            for (auto e = static_cast<std::size_t>(graph.indptr[u]);
                 e < static_cast<std::size_t>(graph.indptr[u + 1]); ++e) {
                const double longer = d[u] + (graph.weighted() ? graph.weights[e] : 1.0);
                double& here = d[static_cast<std::size_t>(graph.indices[e])];
                if (longer < here) here = longer, changed = true;
            }
        }
    }
    return d;
}

template <class T>
void check_hops(const Csr& csr, bool directed, std::span<const NodeId> sources) {
    const std::size_t n = csr.indptr.size() - 1;
    std::vector<T> first;
    for (const int threads : {1, 2, 3}) {
        std::vector<T> out(sources.size() * n);
        CHECK(hop_distances(view(csr), directed, sources, no_hop_limit, std::span(out), threads));
        if (first.empty()) first = out;
        CHECK(out == first);
    }
    for (std::size_t i = 0; i < sources.size(); i += 7) {
        const auto expected = slow_distances(view(csr), sources[i]);
        for (std::size_t v = 0; v < n; ++v) {
            const T d = first[i * n + v];
            CHECK(d == unreachable<T> ? std::isinf(expected[v]) : expected[v] == d);
        }
    }
}

void hops_agree_with_relaxation() {
    for (const bool directed : {false, true}) {
        for (const std::size_t n : {1UL, 5UL, 40UL, 64UL, 130UL, 600UL}) {
            for (const std::size_t m : {n / 2, 2 * n, 8 * n}) {
                const Csr csr = random_graph(n, m, directed, false);
                check_hops<std::uint8_t>(csr, directed, all_nodes(n));
                check_hops<std::uint16_t>(csr, directed, all_nodes(n));
                check_hops<std::uint32_t>(csr, directed, all_nodes(n));
            }
        }
    }
}

// So many nodes that threads share the search of a block.
void a_large_graph_gives_the_same_with_any_number_of_threads() {
    const std::size_t n = 33000;
    std::vector<NodeId> sources;
    for (NodeId v = 0; v < 40; ++v) sources.push_back(v * 800);
    for (const bool directed : {false, true}) {
        const Csr csr = random_graph(n, 2 * n, directed, false);
        std::vector<std::uint8_t> first;
        for (const int threads : {1, 2, 3}) {
            std::vector<std::uint8_t> out(sources.size() * n);
            CHECK(
                hop_distances(view(csr), directed, sources, no_hop_limit, std::span(out), threads));
            if (first.empty()) first = out;
            CHECK(out == first);
        }
        // Few sources are searched one by one: another way to the same.
        std::vector<std::uint8_t> few(2 * n);
        const std::span<const NodeId> two(sources.data() + 7, 2);
        CHECK(hop_distances(view(csr), directed, two, no_hop_limit, std::span(few), 2));
        CHECK(std::equal(few.begin(), few.end(), first.begin() + static_cast<long>(7 * n)));
    }
}

void a_distance_that_does_not_fit_is_told() {
    std::vector<NodeId> few{0}, many(100, 0);
    for (const std::size_t n : {255UL, 256UL}) {
        const Csr csr = path_graph(n);
        for (const auto& sources : {few, many}) {
            std::vector<std::uint8_t> out(sources.size() * n);
            const std::span<std::uint8_t> target(out);
            CHECK(hop_distances(view(csr), false, sources, no_hop_limit, target, 2) == (n == 255));
            CHECK(hop_distances(view(csr), false, sources, 254, target, 2));
            CHECK(out[n - 1] == (n == 255 ? 254 : 255));
        }
        check_hops<std::uint16_t>(csr, false, many);
    }
}

void a_cutoff_hides_what_is_farther() {
    const Csr csr = path_graph(50);
    const auto nodes = all_nodes(50);
    std::vector<std::uint8_t> out(2500);
    CHECK(hop_distances(view(csr), false, nodes, 3, std::span(out), 1));
    CHECK(out[3] == 3 && out[4] == 255 && out[49 * 50 + 46] == 3);
    CHECK(hop_distances(view(csr), false, nodes, 0, std::span(out), 1));
    CHECK(out[0] == 0 && out[1] == 255);
}

void lengths_agree_with_relaxation() {
    for (const bool directed : {false, true}) {
        for (const std::size_t m : {20UL, 60UL, 400UL}) {
            const std::size_t n = 60;
            const Csr csr = random_graph(n, m, directed, true);
            const auto nodes = all_nodes(n);
            for (const std::size_t n_sources : {n, 20UL}) {  // together and one by one
                const auto sources = std::span(nodes).first(n_sources);
                std::vector<double> out(n_sources * n);
                path_lengths(view(csr), directed, sources, unreachable<double>, out, 2);
                for (std::size_t i = 0; i < n_sources; ++i) {
                    const auto row = std::span(out).subspan(i * n, n);
                    CHECK(std::ranges::equal(row, slow_distances(view(csr), nodes[i])));
                }
            }
        }
    }
}

void dense_lengths_agree_with_relaxation() {
    for (const bool directed : {false, true}) {
        for (const std::size_t n : {1UL, 23UL, 64UL, 150UL}) {
            for (const std::size_t m : {n, n * n / 2}) {
                const Csr csr = random_graph(n, m, directed, true);
                std::vector<double> first;
                for (const int threads : {1, 2, 3}) {
                    std::vector<double> out(n * n);
                    floyd_warshall(view(csr), directed, out, threads);
                    if (first.empty()) first = out;
                    CHECK(out == first);
                }
                for (std::size_t i = 0; i < n; i += 5) {
                    const auto row = std::span(first).subspan(i * n, n);
                    CHECK(
                        std::ranges::equal(row, slow_distances(view(csr), static_cast<NodeId>(i))));
                }
            }
        }
    }
    floyd_warshall(view(random_graph(0, 0, false, true)), false, {}, 1);
}

void the_nearest_source_is_the_first_that_ties() {
    for (const bool weighted : {false, true}) {
        const std::size_t n = 80;
        const Csr csr = random_graph(n, 90, false, weighted);
        const std::vector<NodeId> sources{70, 3, 3, 15, 2};
        std::vector<double> distances(n);
        std::vector<std::int32_t> nearest(n);
        distances_to_nearest(view(csr), sources, distances, nearest);
        std::vector<double> best(n, unreachable<double>);
        std::vector<std::int32_t> who(n, -1);
        for (std::size_t i = 0; i < sources.size(); ++i) {
            const auto d = slow_distances(view(csr), sources[i]);
            for (std::size_t v = 0; v < n; ++v) {
                if (d[v] < best[v]) best[v] = d[v], who[v] = static_cast<std::int32_t>(i);
            }
        }
        CHECK(best == distances && who == nearest);
    }
}

}  // namespace

int main() {
    hops_agree_with_relaxation();
    a_large_graph_gives_the_same_with_any_number_of_threads();
    a_distance_that_does_not_fit_is_told();
    a_cutoff_hides_what_is_farther();
    lengths_agree_with_relaxation();
    dense_lengths_agree_with_relaxation();
    the_nearest_source_is_the_first_that_ties();
}
