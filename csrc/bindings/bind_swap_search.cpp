#include "arrays.hpp"
#include "graphopt/centers/swap_search.hpp"
#include "graphopt/support/distance_types.hpp"

namespace graphopt::bindings {
namespace {

std::span<const NodeId> start_in(const Array<NodeId>& start, std::size_t n_sites) {
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
py::tuple search(const Array<T>& table, const std::optional<Array<double>>& costs, double lost,
                 const std::optional<Array<double>>& weights, std::size_t n_scenarios, double tail,
                 const Array<NodeId>& start, const std::optional<Array<std::uint8_t>>& may_open,
                 std::size_t n_fixed, std::size_t first_site, std::size_t max_swaps, double seconds,
                 int num_threads) {
    require_rank(table, 2, "table");
    SwapProblem<T> problem;
    problem.n_sites = static_cast<std::size_t>(table.shape(0));
    problem.n_customers = static_cast<std::size_t>(table.shape(1));
    problem.table = in(table);
    if (costs) problem.costs = vector_in(*costs, "costs");
    if (std::is_integral_v<T> == problem.costs.empty()) {
        throw std::invalid_argument("costs must be given for integers, and for them alone");
    }
    problem.lost = lost;
    if (weights) {
        require_size(*weights, problem.n_customers, "weights");
        problem.weights = vector_in(*weights, "weights");
    }
    if (n_scenarios < 1 || problem.n_customers % n_scenarios != 0) {
        throw std::invalid_argument("n_scenarios must divide the number of customers");
    }
    if (!(tail > 0.0)) throw std::invalid_argument("tail must be positive");
    problem.n_scenarios = n_scenarios;
    problem.tail = tail;
    const auto sites = start_in(start, problem.n_sites);
    SwapRules rules;
    if (may_open) {
        require_size(*may_open, problem.n_sites, "may_open");
        rules.may_open = vector_in(*may_open, "may_open");
    }
    if (n_fixed > sites.size()) throw std::invalid_argument("n_fixed must be at most the start's");
    rules.n_fixed = n_fixed;
    rules.first_site = first_site;
    rules.max_swaps = max_swaps;
    rules.seconds = seconds;
    SwapResult found;
    {
        const py::gil_scoped_release nogil;
        found = swap_search(problem, sites, rules, num_threads);
    }
    return py::make_tuple(adopt(std::move(found.centers)), found.cost, found.n_swaps,
                          found.finished);
}

template <class T>
void register_type(py::module_& m) {
    m.def("swap_search", &search<T>, py::arg("table").noconvert(),
          py::arg("costs").noconvert().none(true), py::arg("lost"),
          py::arg("weights").noconvert().none(true), py::arg("n_scenarios"), py::arg("tail"),
          py::arg("start").noconvert(), py::arg("may_open").noconvert().none(true),
          py::arg("n_fixed"), py::arg("first_site"), py::arg("max_swaps"), py::arg("seconds"),
          py::arg("num_threads"));
}

}  // namespace

void register_swap_search(py::module_& m) {
    for_each_distance_type([&]<class T>() { register_type<T>(m); });
}

}  // namespace graphopt::bindings
