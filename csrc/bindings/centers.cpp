// k-center, swap search and set covering.
#include "def_kernel.hpp"
#include "graphopt/centers/k_center.hpp"
#include "graphopt/centers/set_cover.hpp"
#include "graphopt/centers/swap_search.hpp"
#include "graphopt/support/element_types.hpp"

namespace graphopt::bindings {
namespace {

py::tuple as_tuple(KCenter&& found) {
    return py::make_tuple(adopt(std::move(found.centers)), adopt(std::move(found.assignment)),
                          found.radius);
}

// What the kernels take for granted: k different nodes can be opened, the required ones among them.
SiteRules rules_in(const Nodes& must_open, const Mask& may_open, std::size_t n, std::size_t k) {
    if (k < 1 || k > n) throw std::invalid_argument("k must be in 1..n");
    const SiteRules rules{vector_in(must_open, "must_open"), vector_in(may_open, n, "may_open")};
    check_indices(rules.must_open, n, "must_open");
    if (rules.must_open.size() > k) throw std::invalid_argument("must_open must be at most k");
    std::vector<std::uint8_t> allowed(n, 1);
    if (may_open) allowed.assign(rules.may_open.begin(), rules.may_open.end());
    for (const NodeId node : rules.must_open) {
        if (allowed[static_cast<std::size_t>(node)] == 0) {
            throw std::invalid_argument("must_open must be distinct nodes that may_open allows");
        }
        allowed[static_cast<std::size_t>(node)] = 0;
    }
    std::size_t n_sites = rules.must_open.size();
    for (const std::uint8_t site : allowed) n_sites += site != 0 ? 1 : 0;
    if (n_sites < k) throw std::invalid_argument("may_open must allow at least k nodes");
    return rules;
}

void require_first(NodeId first, const SiteRules& rules, std::size_t n) {
    if (first == -1 && !rules.must_open.empty()) return;
    if (first < 0 || static_cast<std::size_t>(first) >= n) {
        throw std::invalid_argument("first must be a node number");
    }
}

py::tuple gonzalez_from_graph(const Offsets& indptr, const Nodes& indices, const Weights& weights,
                              std::size_t k, NodeId first, const Nodes& must_open,
                              const Mask& may_open) {
    const CsrView graph = csr_in(indptr, indices, weights);
    const SiteRules rules = rules_in(must_open, may_open, graph.n_nodes(), k);
    require_first(first, rules, graph.n_nodes());
    return as_tuple(without_lock([&] { return gonzalez(graph, k, first, rules); }));
}

template <class T>
py::tuple gonzalez_from_matrix(const Array<T>& distances, std::size_t k, NodeId first,
                               const Nodes& must_open, const Mask& may_open) {
    const std::size_t n = require_square(distances, "distances");
    const SiteRules rules = rules_in(must_open, may_open, n, k);
    require_first(first, rules, n);
    return as_tuple(without_lock(gonzalez<T>, in(distances), n, k, first, rules));
}

template <class T>
py::tuple py_greedy_k_center(const Array<T>& distances, std::size_t k, const Nodes& must_open,
                             const Mask& may_open, const Mask& needed, int num_threads) {
    const std::size_t n = require_square(distances, "distances");
    const SiteRules rules = rules_in(must_open, may_open, n, k);
    return as_tuple(without_lock(greedy_k_center<T>, in(distances), n, k, num_threads, rules,
                                 vector_in(needed, n, "needed")));
}

template <class T>
py::tuple py_reduce_cover(const Array<T>& distances, const Array<T>& limits,
                          const Array<std::uint8_t>& may_open, const Array<std::uint8_t>& needed,
                          double seconds, std::size_t entries, int num_threads) {
    require_rank(distances, 2, "distances");
    CoverRest rest = without_lock(reduce_cover<T>, in(distances),
                                  sized_in(limits, size_of(distances, 1), "limits"),
                                  sized_in(may_open, size_of(distances, 0), "may_open"),
                                  sized_in(needed, size_of(distances, 1), "needed"), num_threads,
                                  CoverLimits{seconds, entries});
    return py::make_tuple(rest.feasible, rest.finished, adopt(std::move(rest.forced)),
                          adopt(std::move(rest.sites)), adopt(std::move(rest.customers)),
                          adopt(std::move(rest.indptr)), adopt(std::move(rest.served)));
}

std::span<const NodeId> start_in(const Nodes& start, std::size_t n_sites) {
    const auto sites = vector_in(start, "start");
    if (sites.empty()) throw std::invalid_argument("start must hold at least one site");
    std::vector<std::uint8_t> seen(n_sites, 0);
    for (const NodeId site : sites) {
        const auto i = static_cast<std::size_t>(site);
        if (site < 0 || i >= n_sites || seen[i] != 0) {
            throw std::invalid_argument("start must hold distinct sites");
        }
        seen[i] = 1;
    }
    return sites;
}

template <class T>
py::tuple py_swap_search(const Array<T>& table, const Maybe<double>& costs, double lost,
                         const Weights& weights, std::size_t n_scenarios, double tail,
                         const Nodes& start, const Mask& may_open, std::size_t n_fixed,
                         std::size_t first_site, std::size_t max_swaps, double seconds,
                         int num_threads) {
    require_rank(table, 2, "table");
    SwapProblem<T> problem{in(table), size_of(table, 0), size_of(table, 1)};
    if (costs) problem.costs = vector_in(*costs, "costs");
    if (std::is_integral_v<T> == problem.costs.empty()) {
        throw std::invalid_argument("costs must be given for integers, and for them alone");
    }
    if (n_scenarios < 1 || problem.n_customers % n_scenarios != 0) {
        throw std::invalid_argument("n_scenarios must divide the number of customers");
    }
    if (!(tail > 0.0)) throw std::invalid_argument("tail must be positive");
    problem.lost = lost;
    problem.weights = vector_in(weights, problem.n_customers, "weights");
    problem.n_scenarios = n_scenarios;
    problem.tail = tail;
    const auto sites = start_in(start, problem.n_sites);
    if (n_fixed > sites.size()) throw std::invalid_argument("n_fixed must be at most the start's");
    const SwapRules rules{vector_in(may_open, problem.n_sites, "may_open"), n_fixed, first_site,
                          max_swaps, seconds};
    SwapResult found = without_lock(swap_search<T>, problem, sites, rules, num_threads);
    return py::make_tuple(adopt(std::move(found.centers)), found.cost, found.n_swaps,
                          found.finished);
}

}  // namespace

void register_centers(py::module_& m) {
    def_kernel(m, "gonzalez_from_graph", &gonzalez_from_graph, "indptr", "indices", "weights", "k",
               "first", "must_open", "may_open");
    for_each_distance([&]<class T>() {
        def_kernel(m, "gonzalez_from_matrix", &gonzalez_from_matrix<T>, "distances", "k", "first",
                   "must_open", "may_open");
        def_kernel(m, "greedy_k_center", &py_greedy_k_center<T>, "distances", "k", "must_open",
                   "may_open", "needed", "num_threads");
        def_kernel(m, "reduce_cover", &py_reduce_cover<T>, "distances", "limits", "may_open",
                   "needed", "seconds", "entries", "num_threads");
        def_kernel(m, "swap_search", &py_swap_search<T>, "table", "costs", "lost", "weights",
                   "n_scenarios", "tail", "start", "may_open", "n_fixed", "first_site", "max_swaps",
                   "seconds", "num_threads");
    });
}

}  // namespace graphopt::bindings
