#include <cmath>
#include <limits>
#include <stdexcept>

#include "check.hpp"
#include "graphopt/support/csr.hpp"
#include "graphopt/support/sparse.hpp"

using namespace graphopt;

namespace {

CsrView view(const Csr& csr) { return {csr.indptr, csr.indices, csr.weights}; }

void undirected_edges_are_mirrored_sorted_and_merged() {
    const std::vector<std::int64_t> u{2, 0, 1, 1}, v{0, 1, 0, 1};
    const std::vector<double> w{5, 1, 7, 9};
    const Csr csr = build_csr(3, {u, v, w}, {});
    CHECK((csr.indptr == std::vector<EdgeOffset>{0, 2, 3, 4}));
    CHECK((csr.indices == std::vector<NodeId>{1, 2, 0, 0}));
    CHECK((csr.weights == std::vector<double>{7, 5, 7, 5}));
    check_csr(view(csr));
}

void every_rule_for_duplicates() {
    const std::vector<std::int64_t> u{0, 1, 0}, v{1, 0, 1};
    const std::vector<double> w{2, 1, 4};
    const auto weight = [&](Duplicates rule) {
        return build_csr(2, {u, v, w}, {.duplicates = rule}).weights.front();
    };
    CHECK(weight(Duplicates::first) == 2);
    CHECK(weight(Duplicates::last) == 4);
    CHECK(weight(Duplicates::sum) == 7);
    CHECK(weight(Duplicates::minimum) == 1);
    CHECK(weight(Duplicates::maximum) == 4);
    CHECK_THROWS(weight(Duplicates::error), BadEdge);
    const std::vector<double> huge{1e308, 1e308, 1e308};
    CHECK_THROWS(build_csr(2, {u, v, huge}, {.duplicates = Duplicates::sum}), BadEdge);
    CHECK(build_csr(2, {u, v, huge}, {.duplicates = Duplicates::maximum}).weights.front() == 1e308);
}

void parallel_edges_keep_the_order_of_the_list() {
    // Many of them, so that an unstable sort would show.
    std::vector<std::int64_t> u, v;
    std::vector<double> w;
    for (int i = 0; i < 1000; ++i) {
        u.push_back(i % 7);
        v.push_back((i * i) % 5);
        w.push_back(i);
    }
    for (const bool directed : {false, true}) {
        const Csr first =
            build_csr(7, {u, v, w}, {.directed = directed, .duplicates = Duplicates::first});
        const Csr least =
            build_csr(7, {u, v, w}, {.directed = directed, .duplicates = Duplicates::minimum});
        const Csr last =
            build_csr(7, {u, v, w}, {.directed = directed, .duplicates = Duplicates::last});
        const Csr most =
            build_csr(7, {u, v, w}, {.directed = directed, .duplicates = Duplicates::maximum});
        CHECK(first.weights == least.weights && last.weights == most.weights);
        CHECK(first.weights != last.weights);
        check_csr(view(last));
        const Csr plain = build_csr(7, {u, v, {}}, {.directed = directed});
        CHECK(plain.indices == last.indices && plain.indptr == last.indptr);
        CHECK(plain.weights.empty());
    }
}

void bad_edges_are_refused() {
    const std::vector<std::int64_t> zero{0}, two{2}, minus{-1};
    const std::vector<double> nan{std::nan("")};
    CHECK_THROWS(build_csr(2, {zero, two, {}}, {}), BadEdge);
    CHECK_THROWS(build_csr(2, {minus, zero, {}}, {}), BadEdge);
    CHECK_THROWS(build_csr(3, {zero, two, nan}, {}), BadEdge);
    CHECK_THROWS(build_csr(3, {zero, zero, {}}, {.drop_self_loops = false}), BadEdge);
}

void broken_rows_are_refused() {
    const auto refused = [](std::vector<EdgeOffset> indptr, std::vector<NodeId> indices) {
        CHECK_THROWS(check_csr({indptr, indices, {}}), std::invalid_argument);
    };
    refused({1, 1}, {0});
    refused({0, 1}, {0, 1});
    refused({0, 5, 2}, {1, 0});
    refused({0, 1, 2}, {1, 2});
    refused({0, 1, 2}, {0, 0});
    refused({0, 2, 2}, {1, 1});
}

template <class Offset, class Index>
void broken_indices_are_refused() {
    using Offsets = std::vector<Offset>;
    using Indices = std::vector<Index>;
    const auto check = [](const Offsets& indptr, const Indices& indices, std::size_t n_columns) {
        check_sparse(std::span<const Offset>(indptr), std::span<const Index>(indices), n_columns);
    };
    const auto refused = [&](const Offsets& indptr, const Indices& indices, std::size_t n_columns) {
        CHECK_THROWS(check(indptr, indices, n_columns), std::invalid_argument);
    };
    constexpr Index most = std::numeric_limits<Index>::max();
    check({0}, {}, 0);
    check({0, 2, 2, 3}, {4, 0, 4}, 5);
    check({0, 1}, {most}, static_cast<std::size_t>(most) + 1);
    refused({}, {}, 1);
    refused({0, 1}, {0}, 0);
    refused({-1, 1}, {0, 0}, 1);
    refused({0, -1}, {0}, 1);
    refused({0, 3, 2}, {0, 0}, 1);
    refused({0, 1}, {0, 0}, 1);
    refused({0, 3}, {0, 0}, 1);
    for (const std::size_t n_columns : {std::size_t{5}, static_cast<std::size_t>(most) + 1,
                                        std::numeric_limits<std::size_t>::max()}) {
        refused({0, 2}, {0, -1}, n_columns);
        refused({0, 2}, {std::numeric_limits<Index>::min(), 0}, n_columns);
    }
    refused({0, 1}, {5}, 5);
    // Far along, past what one vector holds.
    Indices many(1000, 4);
    const auto end = static_cast<Offset>(many.size());
    check({0, end}, many, 5);
    many[777] = 5;
    refused({0, end}, many, 5);
}

void an_empty_graph_is_a_graph() {
    const Csr csr = build_csr(0, {}, {});
    check_csr(view(csr));
    CHECK(view(csr).n_nodes() == 0);
}

void transposing_twice_gives_the_graph_back() {
    const std::vector<std::int64_t> u{0, 0, 2, 3}, v{1, 2, 1, 0};
    const std::vector<double> w{1, 2, 3, 4};
    const Csr csr = build_csr(4, {u, v, w}, {.directed = true});
    const Csr once = transpose(view(csr));
    const Csr twice = transpose(view(once));
    CHECK(once.indices != csr.indices);
    CHECK(twice.indptr == csr.indptr && twice.indices == csr.indices &&
          twice.weights == csr.weights);
}

}  // namespace

int main() {
    undirected_edges_are_mirrored_sorted_and_merged();
    every_rule_for_duplicates();
    parallel_edges_keep_the_order_of_the_list();
    bad_edges_are_refused();
    broken_rows_are_refused();
    broken_indices_are_refused<std::int32_t, std::int32_t>();
    broken_indices_are_refused<std::int64_t, std::int32_t>();
    broken_indices_are_refused<std::int64_t, std::int64_t>();
    an_empty_graph_is_a_graph();
    transposing_twice_gives_the_graph_back();
}
