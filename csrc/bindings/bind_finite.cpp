#include "arrays.hpp"
#include "graphopt/support/finite.hpp"

namespace graphopt::bindings {
namespace {

template <class T>
bool py_all_finite(const Array<T>& values) {
    const std::span<const T> numbers = in(values);
    const py::gil_scoped_release nogil;
    return all_finite(numbers);
}

}  // namespace

void register_finite(py::module_& m) {
    m.def("all_finite", &py_all_finite<float>, py::arg("values").noconvert());
    m.def("all_finite", &py_all_finite<double>, py::arg("values").noconvert());
}

}  // namespace graphopt::bindings
