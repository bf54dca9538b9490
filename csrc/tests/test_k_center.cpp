#include <algorithm>
#include <cmath>
#include <vector>

#include "check.hpp"
#include "graphopt/centers/k_center.hpp"
#include "graphopt/paths/shortest_paths.hpp"
#include "graphopt/support/distance_types.hpp"

using namespace graphopt;

namespace {

CsrView view(const Csr& csr) { return {csr.indptr, csr.indices, csr.weights}; }

Csr path_graph(std::size_t n, bool weighted) {
    std::vector<std::int64_t> u, v;
    for (std::size_t i = 0; i + 1 < n; ++i) {
        u.push_back(static_cast<std::int64_t>(i));
        v.push_back(static_cast<std::int64_t>(i + 1));
    }
    const std::vector<double> w(weighted ? n - 1 : 0, 0.5);
    return build_csr(n, {u, v, w}, {});
}

template <class T>
std::vector<T> line_distances(std::size_t n) {
    std::vector<T> d(n * n);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < n; ++j) d[i * n + j] = static_cast<T>(i > j ? i - j : j - i);
    }
    return d;
}

void gonzalez_walks_to_the_farthest() {
    for (const bool weighted : {false, true}) {
        const Csr csr = path_graph(9, weighted);
        const KCenter found = gonzalez(view(csr), 3, 0);
        CHECK((found.centers == std::vector<NodeId>{0, 8, 4}));
        CHECK(found.radius == (weighted ? 1.0 : 2.0));
        CHECK((found.assignment == std::vector<std::int32_t>{0, 0, 0, 2, 2, 2, 1, 1, 1}));
    }
}

template <class T>
void matrix_and_graph_agree() {
    for (const std::size_t n : {1UL, 2UL, 65UL, 200UL}) {
        const Csr csr = path_graph(n, false);
        const auto d = line_distances<T>(n);
        for (std::size_t k = 1; k <= std::min<std::size_t>(n, 5); ++k) {
            const auto first = static_cast<NodeId>(n / 3);
            const KCenter a = gonzalez(view(csr), k, first);
            const KCenter b = gonzalez(std::span<const T>(d), n, k, first);
            CHECK(a.centers == b.centers && a.assignment == b.assignment && a.radius == b.radius);
        }
    }
}

template <class T>
void greedy_takes_the_middle() {
    const auto d = line_distances<T>(201);
    for (const int threads : {1, 2, 3, 8}) {
        const KCenter found = greedy_k_center(std::span<const T>(d), 201, 2, threads);
        CHECK(found.centers.front() == 100);
        CHECK(found.radius == 100);
        for (std::size_t j = 0; j < 201; ++j) CHECK(found.assignment[j] >= 0);
    }
}

template <class T>
void what_no_center_reaches_is_told() {
    // {0}, {1, 2}: one centre covers at most two.
    const T x = unreachable<T>;
    const std::vector<T> d{0, x, x, x, 0, 1, x, 1, 0};
    const std::span<const T> matrix(d);
    const KCenter one = greedy_k_center(matrix, 3, 1, 1);
    CHECK((one.centers == std::vector<NodeId>{1}));
    CHECK((one.assignment == std::vector<std::int32_t>{-1, 0, 0}));
    CHECK(std::isinf(one.radius));
    CHECK(greedy_k_center(matrix, 3, 2, 1).radius == 1);
    CHECK(greedy_k_center(matrix, 3, 3, 1).radius == 0);
    CHECK(std::isinf(gonzalez(matrix, 3, 1, 0).radius));
    CHECK((gonzalez(matrix, 3, 3, 2).centers == std::vector<NodeId>{2, 0, 1}));
}

template <class T>
void everything() {
    matrix_and_graph_agree<T>();
    greedy_takes_the_middle<T>();
    what_no_center_reaches_is_told<T>();
}

void centers_stay_distinct_where_all_is_at_distance_zero() {
    const std::vector<float> d(16, 0.0F);
    const std::span<const float> matrix(d);
    CHECK((gonzalez(matrix, 4, 3, 2).centers == std::vector<NodeId>{2, 0, 1}));
    CHECK((greedy_k_center(matrix, 4, 3, 2).centers == std::vector<NodeId>{0, 1, 2}));
}

}  // namespace

int main() {
    gonzalez_walks_to_the_farthest();
    for_each_distance_type([]<class T>() { everything<T>(); });
    centers_stay_distinct_where_all_is_at_distance_zero();
}
