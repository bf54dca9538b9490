// Building and checking graphs, how the module was compiled, and what it does when Ctrl-C is
// pressed.
#include "def_kernel.hpp"
#include "graphopt/support/csr.hpp"
#include "graphopt/support/element_types.hpp"
#include "graphopt/support/finite.hpp"
#include "graphopt/support/parallel.hpp"
#include "graphopt/support/simd.hpp"
#include "graphopt/support/sparse.hpp"

// By this name threadpoolctl knows the module from others called _core.
extern "C" PYBIND11_EXPORT int graphopt_openmp_max_threads() {
    return graphopt::openmp_max_threads();
}

namespace graphopt::bindings {
namespace {

void check_python_signals() {
    const py::gil_scoped_acquire gil;
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
}

py::dict build_info() {
    py::dict info;
#if defined(__clang__)
    info["compiler"] = "clang " __clang_version__;
#elif defined(__GNUC__)
    info["compiler"] = "gcc " __VERSION__;
#else
    info["compiler"] = "unknown";
#endif
    info["cpp_standard"] = static_cast<long>(__cplusplus);
    info["pybind11"] = PYBIND11_TOSTRING(PYBIND11_VERSION_MAJOR) "." PYBIND11_TOSTRING(
        PYBIND11_VERSION_MINOR) "." PYBIND11_TOSTRING(PYBIND11_VERSION_PATCH);
    const std::string runtime = openmp_path();
    info["openmp"] = runtime.empty() ? py::object(py::none()) : py::str(runtime);
    info["multiversion"] = GRAPHOPT_HAS_MULTIVERSION != 0;
    info["isa"] = chosen_isa();
    return info;
}

py::tuple py_take_counted_work() {
    const CountedWork work = take_counted_work();
    return py::make_tuple(work.total, work.most);
}

Duplicates duplicates_from(const std::string& name) {
    if (name == "first") return Duplicates::first;
    if (name == "last") return Duplicates::last;
    if (name == "sum") return Duplicates::sum;
    if (name == "min") return Duplicates::minimum;
    if (name == "max") return Duplicates::maximum;
    if (name == "error") return Duplicates::error;
    throw std::invalid_argument("duplicates must be first, last, sum, min, max or error, not " +
                                name);
}

py::tuple as_tuple(Csr&& csr, bool weighted) {
    py::object weights = py::none();
    if (weighted) weights = adopt(std::move(csr.weights));
    return py::make_tuple(adopt(std::move(csr.indptr)), adopt(std::move(csr.indices)), weights);
}

py::tuple py_build_csr(std::size_t n_nodes, const Array<std::int64_t>& sources,
                       const Array<std::int64_t>& targets, const Weights& weights, bool directed,
                       bool drop_self_loops, const std::string& duplicates) {
    EdgeList edges{vector_in(sources, "sources"), vector_in(targets, "targets"), {}};
    require_size(targets, edges.sources.size(), "targets");
    edges.weights = vector_in(weights, edges.sources.size(), "weights");
    const BuildOptions options{directed, drop_self_loops, duplicates_from(duplicates)};
    return as_tuple(without_lock(build_csr, n_nodes, edges, options), weights.has_value());
}

void py_check_csr(const Offsets& indptr, const Nodes& indices, const Weights& weights) {
    CsrView view{vector_in(indptr, "indptr"), vector_in(indices, "indices"), {}};
    view.weights = vector_in(weights, view.indices.size(), "weights");
    without_lock(check_csr, view);
}

py::tuple py_transpose(const Offsets& indptr, const Nodes& indices, const Weights& weights) {
    const CsrView graph = csr_in(indptr, indices, weights);
    return as_tuple(without_lock(transpose, graph), weights.has_value());
}

template <class Offset, class Index>
void py_check_sparse(const Array<Offset>& indptr, const Array<Index>& indices,
                     std::size_t n_columns) {
    without_lock(check_sparse<Offset, Index>, vector_in(indptr, "indptr"),
                 vector_in(indices, "indices"), n_columns);
}

template <class Index>
void py_check_indices(const Array<Index>& indices, std::size_t size, const char* name) {
    without_lock(check_indices<Index>, vector_in(indices, name), size, name);
}

template <class Real>
bool py_all_finite(const Array<Real>& values) {
    return without_lock(all_finite<Real>, in(values));
}

}  // namespace

void register_support(py::module_& m) {
    set_interrupt_check(&check_python_signals);
    m.def("build_info", &build_info);
    m.def("openmp_max_threads", &openmp_max_threads);
    m.def("usable_threads", &usable_threads, py::arg("num_threads"), py::arg("n_chunks"));
    m.def("startable_threads", &startable_threads, py::arg("wanted"));
    m.def("take_counted_work", &py_take_counted_work);

    def_kernel(m, "build_csr", &py_build_csr, "n_nodes", "sources", "targets", "weights",
               "directed", "drop_self_loops", "duplicates");
    def_kernel(m, "check_csr", &py_check_csr, "indptr", "indices", "weights");
    def_kernel(m, "transpose_csr", &py_transpose, "indptr", "indices", "weights");
    for_each_index([&]<class Index>() {
        def_kernel(m, "check_sparse", &py_check_sparse<Index, Index>, "indptr", "indices",
                   "n_columns");
        def_kernel(m, "check_indices", &py_check_indices<Index>, "indices", "size", "name");
    });
    def_kernel(m, "check_sparse", &py_check_sparse<EdgeOffset, NodeId>, "indptr", "indices",
               "n_columns");
    for_each_real(
        [&]<class Real>() { def_kernel(m, "all_finite", &py_all_finite<Real>, "values"); });
}

}  // namespace graphopt::bindings
