#include "arrays.hpp"
#include "graphopt/communities/symmetric_product.hpp"

namespace graphopt::bindings {
namespace {

Array<double> py_symmetric_product(const Array<double>& matrix, const Array<double>& vector,
                                   int num_threads) {
    const std::span<const double> x = vector_in(vector, "vector");
    require_square(matrix, "matrix");
    require_size(vector, static_cast<std::size_t>(matrix.shape(0)), "vector");
    Array<double> product = empty<double>({vector.shape(0)});
    const std::span<const double> a = in(matrix);
    const std::span<double> y = out(product);
    {
        const py::gil_scoped_release nogil;
        symmetric_product(a, x, y, num_threads);
    }
    return product;
}

}  // namespace

void register_symmetric_product(py::module_& m) {
    m.def("symmetric_product", &py_symmetric_product, py::arg("matrix").noconvert(),
          py::arg("vector").noconvert(), py::arg("num_threads"));
}

}  // namespace graphopt::bindings
