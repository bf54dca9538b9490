#include <cmath>
#include <vector>

#include "check.hpp"
#include "graphopt/communities/modularity.hpp"

using namespace graphopt;

namespace {

bool close(double a, double b) { return std::abs(a - b) < 1e-9; }

// Two triangles joined by an edge, split there: Q = 6/7 - 1/2.
const std::vector<std::int64_t> sources{0, 1, 0, 3, 4, 3, 2}, targets{1, 2, 2, 4, 5, 5, 3};

template <class Real>
void two_triangles(std::size_t n_groups, const std::vector<double>& weights) {
    const Csr csr = build_csr(6, {sources, targets, weights}, {});
    const CsrView graph{csr.indptr, csr.indices, csr.weights};
    std::vector<Real> assignment(6 * n_groups), gradient(6 * n_groups, Real{9});
    for (std::size_t i = 0; i < 6; ++i) assignment[i * n_groups + (i < 3 ? 0 : n_groups - 1)] = 1;
    const std::span<const Real> r = assignment;
    const double q = modularity_gradient(graph, r, n_groups, 1.0, gradient, 2);
    CHECK(std::abs(q - (6.0 / 7.0 - 0.5)) < 1e-6);
    // Node 0: degree 2, both neighbours in its group of volume 7, 2m = 14.
    CHECK(std::abs(gradient[0] - (2.0 - 2.0 * 7.0 / 14.0) / 7.0) < 1e-6);
}

void without_edges_everything_is_zero() {
    const Csr csr = build_csr(2, {}, {});
    const std::vector<double> r{1, 2, 3, 4};
    std::vector<double> gradient(4, 9.0);
    const std::span<const double> assignment = r;
    CHECK(modularity_gradient({csr.indptr, csr.indices, {}}, assignment, 2, 1.0, gradient, 2) == 0);
    for (const double g : gradient) CHECK(close(g, 0.0));
    CHECK(modularity_gradient({csr.indptr, csr.indices, {}}, std::span<const double>{}, 0, 1.0, {},
                              2) == 0);
}

}  // namespace

int main() {
    const std::vector<double> ones(7, 1.0), twos(7, 2.0);
    for (const std::size_t n_groups : {2, 8, 9, 16, 17, 40}) {
        two_triangles<float>(n_groups, {});
        two_triangles<double>(n_groups, {});
        two_triangles<float>(n_groups, ones);
    }
    two_triangles<float>(3, ones);
    without_edges_everything_is_zero();
}
