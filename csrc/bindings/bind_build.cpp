// How the module was compiled, and what it does when Ctrl-C is pressed.
#include <pybind11/pybind11.h>

#include <string>

#include "graphopt/support/parallel.hpp"
#include "graphopt/support/simd.hpp"

// By this name threadpoolctl knows the module from others called _core.
extern "C" PYBIND11_EXPORT int graphopt_openmp_max_threads() {
    return graphopt::openmp_max_threads();
}

namespace graphopt::bindings {

namespace py = pybind11;

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

}  // namespace

void register_build(py::module_& m) {
    set_interrupt_check(&check_python_signals);
    m.def("build_info", &build_info);
    m.def("usable_threads", &usable_threads, py::arg("num_threads"), py::arg("n_chunks"));
    m.def("openmp_max_threads", &openmp_max_threads);
    m.def("take_counted_work", [] {
        const CountedWork work = take_counted_work();
        return py::make_tuple(work.total, work.most);
    });
    m.def("startable_threads", &startable_threads, py::arg("wanted"));
}

}  // namespace graphopt::bindings
