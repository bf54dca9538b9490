#include <array>
#include <memory>
#include <vector>

#include "check.hpp"
#include "graphopt/communities/kernighan_lin.hpp"

using namespace graphopt;

namespace {

// Cliques of `size` nodes, neighbouring ones joined by an edge.
struct Cliques {
    std::size_t n;
    std::vector<double> dense;
    std::vector<double> strengths;
    double total = 0.0;
    std::vector<EdgeOffset> indptr{0};
    std::vector<NodeId> indices;
    std::vector<double> values;

    Cliques(std::size_t count, std::size_t size) : n(count * size), dense(n * n), strengths(n) {
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t j = 0; j < n; ++j) {
                const bool bridge = i + 1 == j || j + 1 == i;
                if (i == j || (i / size != j / size && !bridge)) continue;
                dense[i * n + j] = 1.0;
                strengths[i] += 1.0;
                indices.push_back(static_cast<NodeId>(j));
                values.push_back(1.0);
            }
            total += strengths[i];
            indptr.push_back(static_cast<EdgeOffset>(indices.size()));
        }
    }
};

void two_cliques_are_found_from_anywhere() {
    for (const std::size_t size : {3, 4, 5, 8, 9}) {
        const Cliques graph(2, size);
        for (std::size_t lonely = 0; lonely < graph.n; ++lonely) {
            const auto one = std::make_unique<bool[]>(graph.n);
            const auto other = std::make_unique<bool[]>(graph.n);
            one[lonely] = other[lonely] = true;
            const std::span<bool> dense(one.get(), graph.n), sparse(other.get(), graph.n);
            kernighan_lin(graph.dense, graph.strengths, graph.total, dense);
            kernighan_lin({graph.indptr, graph.indices, graph.values}, graph.strengths, graph.total,
                          sparse);
            for (std::size_t i = 0; i < graph.n; ++i) {
                CHECK((dense[i] == dense[0]) == (i < size));
                CHECK((sparse[i] == sparse[0]) == (i < size));
            }
        }
    }
}

void a_pair_stays_apart() {
    const Cliques graph(1, 2);
    std::array<bool, 2> side{true, false};
    kernighan_lin(graph.dense, graph.strengths, graph.total, side);
    CHECK(side[0] != side[1]);
}

}  // namespace

int main() {
    two_cliques_are_found_from_anywhere();
    a_pair_stays_apart();
}
