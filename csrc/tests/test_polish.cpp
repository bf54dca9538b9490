#include <algorithm>
#include <cstdint>
#include <vector>

#include "check.hpp"
#include "graphopt/communities/polish.hpp"
#include "graphopt/support/random.hpp"

using namespace graphopt;

namespace {

// A ring of cliques, neighbouring ones joined by an edge.
Csr ring_of_cliques(std::size_t count, std::size_t size) {
    std::vector<std::int64_t> sources, targets;
    const auto add = [&](std::size_t u, std::size_t v) {
        sources.push_back(static_cast<std::int64_t>(u));
        targets.push_back(static_cast<std::int64_t>(v));
    };
    const std::size_t n = count * size;
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = i + 1; j < n; ++j) {
            if (i / size == j / size) add(i, j);
        }
        if (i % size == size - 1) add(i, (i + 1) % n);
    }
    return build_csr(n, {sources, targets, {}}, {});
}

CsrView view(const Csr& graph) { return {graph.indptr, graph.indices, graph.weights}; }

std::vector<NodeId> random_labels(std::size_t count, std::size_t n_groups, std::uint64_t seed) {
    SplitMix64 random(seed);
    std::vector<NodeId> labels(count);
    std::ranges::generate(labels, [&] { return static_cast<NodeId>(random.below(n_groups)); });
    return labels;
}

void cliques_are_found_from_anywhere() {
    const std::size_t count = 6, size = 5, n = count * size;
    const Csr graph = ring_of_cliques(count, size);
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
        for (const bool keep_all : {false, true}) {
            const std::vector<NodeId> starts = random_labels(3 * n, count, seed);
            std::vector<NodeId> labels(n);
            polish(view(graph), starts, 3, {count, 1.0, keep_all, 100, seed}, labels, 1);
            for (std::size_t i = 0; i < n; ++i) {
                for (std::size_t j = 0; j < n; ++j) {
                    CHECK((labels[i] == labels[j]) == (i / size == j / size));
                }
            }
        }
    }
}

void threads_change_nothing() {
    const Csr graph = ring_of_cliques(40, 4);
    const std::size_t n = 160;
    const std::vector<NodeId> starts = random_labels(5 * n, 7, 1);
    std::vector<NodeId> expected(n), labels(n);
    polish(view(graph), starts, 5, {7, 1.0, false, 50, 3}, expected, 1);
    for (const int threads : {2, 3, 8}) {
        polish(view(graph), starts, 5, {7, 1.0, false, 50, 3}, labels, threads);
        CHECK(labels == expected);
    }
}

// As many groups as nodes or as two, and labels that start with empty groups: no group is lost.
void groups_are_kept() {
    const Csr graph = ring_of_cliques(3, 4);
    for (const std::size_t n_groups : {1, 2, 5, 11, 12, 20}) {
        std::vector<NodeId> start(12), labels(12);
        for (std::size_t i = 0; i < 12; ++i) {
            start[i] = static_cast<NodeId>(i % std::min<std::size_t>(n_groups, 11));
        }
        polish(view(graph), start, 1, {n_groups, 1.0, true, 200, 0}, labels, 1);
        for (const NodeId group : start) CHECK(std::ranges::count(labels, group) > 0);
    }
}

void without_edges_nothing_moves() {
    const std::vector<EdgeOffset> indptr(6);
    const std::vector<NodeId> starts{1, 0, 1, 1, 0};
    std::vector<NodeId> labels(5);
    polish({indptr, {}, {}}, starts, 1, {2, 1.0, false, 10, 0}, labels, 1);
    CHECK(labels == starts);
}

}  // namespace

int main() {
    cliques_are_found_from_anywhere();
    threads_change_nothing();
    groups_are_kept();
    without_edges_nothing_moves();
}
