#include "arrays.hpp"
#include "graphopt/nn/adam.hpp"

namespace graphopt::bindings {
namespace {

// The one function that changes its arguments: an optimizer's purpose. NumPy refuses memory that
// is read-only.
template <class Real>
void py_adam_step(Array<Real>& parameter, const Array<Real>& gradient, Array<Real>& first,
                  Array<Real>& second, double learning_rate, double weight_decay, double beta1,
                  double beta2, double epsilon, double step, int num_threads) {
    const auto size = static_cast<std::size_t>(parameter.size());
    require_size(gradient, size, "gradient");
    require_size(first, size, "first");
    require_size(second, size, "second");
    const auto target = out(parameter);
    const auto slope = in(gradient);
    const auto mean = out(first);
    const auto square = out(second);
    const AdamSettings settings{learning_rate, weight_decay, beta1, beta2, epsilon, step};
    {
        const py::gil_scoped_release nogil;
        adam_step(target, slope, mean, square, settings, num_threads);
    }
}

template <class Real>
void define(py::module_& m) {
    m.def("adam_step", &py_adam_step<Real>, py::arg("parameter").noconvert(),
          py::arg("gradient").noconvert(), py::arg("first").noconvert(),
          py::arg("second").noconvert(), py::arg("learning_rate"), py::arg("weight_decay"),
          py::arg("beta1"), py::arg("beta2"), py::arg("epsilon"), py::arg("step"),
          py::arg("num_threads"));
}

}  // namespace

void register_adam(py::module_& m) {
    define<float>(m);
    define<double>(m);
}

}  // namespace graphopt::bindings
