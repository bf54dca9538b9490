#include "arrays.hpp"
#include "graphopt/nn/dropout.hpp"

namespace graphopt::bindings {
namespace {

template <class Real>
Array<Real> py_dropout(const Array<Real>& values, double share, std::uint64_t seed,
                       int num_threads) {
    if (!(share >= 0.0 && share < 1.0)) {
        throw std::invalid_argument("share must be at least 0 and less than 1");
    }
    auto result =
        empty<Real>(std::vector<py::ssize_t>(values.shape(), values.shape() + values.ndim()));
    const auto source = in(values);
    const auto target = out(result);
    {
        const py::gil_scoped_release nogil;
        dropout(source, share, seed, target, num_threads);
    }
    return result;
}

template <class Real>
void define(py::module_& m) {
    m.def("dropout", &py_dropout<Real>, py::arg("values").noconvert(), py::arg("share"),
          py::arg("seed"), py::arg("num_threads"));
}

}  // namespace

void register_dropout(py::module_& m) {
    define<float>(m);
    define<double>(m);
}

}  // namespace graphopt::bindings
