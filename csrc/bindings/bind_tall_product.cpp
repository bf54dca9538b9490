#include "arrays.hpp"
#include "graphopt/nn/tall_product.hpp"

namespace graphopt::bindings {
namespace {

template <class Real>
TallShape shape_of(const Array<Real>& tall, const Array<Real>& other, py::ssize_t shared) {
    require_rank(other, 2, "other");
    if (other.shape(0) != shared) {
        throw std::invalid_argument("other must have " + std::to_string(shared) + " rows, not " +
                                    std::to_string(other.shape(0)));
    }
    return {static_cast<std::size_t>(tall.shape(0)), static_cast<std::size_t>(tall.shape(1)),
            static_cast<std::size_t>(other.shape(1))};
}

// kernel(shape, tall, other, product, num_threads), with `product` of so many rows.
template <class Real, class Kernel>
Array<Real> product_by(Kernel&& kernel, const TallShape& shape, const Array<Real>& tall,
                       const Array<Real>& other, py::ssize_t n_rows, int num_threads) {
    auto product = empty<Real>({n_rows, other.shape(1)});
    const auto left = in(tall);
    const auto right = in(other);
    const auto target = out(product);
    {
        const py::gil_scoped_release nogil;
        kernel(shape, left, right, target, num_threads);
    }
    return product;
}

template <class Real>
Array<Real> py_tall_product(const Array<Real>& tall, const Array<Real>& other, int num_threads) {
    require_rank(tall, 2, "tall");
    const TallShape shape = shape_of(tall, other, tall.shape(1));
    return product_by([](auto... given) { tall_product(given...); }, shape, tall, other,
                      tall.shape(0), num_threads);
}

template <class Real>
Array<Real> py_transposed_tall_product(const Array<Real>& tall, const Array<Real>& other,
                                       int num_threads) {
    require_rank(tall, 2, "tall");
    const TallShape shape = shape_of(tall, other, tall.shape(0));
    return product_by([](auto... given) { transposed_tall_product(given...); }, shape, tall, other,
                      tall.shape(1), num_threads);
}

template <class Real>
void define(py::module_& m) {
    m.def("tall_product", &py_tall_product<Real>, py::arg("tall").noconvert(),
          py::arg("other").noconvert(), py::arg("num_threads"));
    m.def("transposed_tall_product", &py_transposed_tall_product<Real>, py::arg("tall").noconvert(),
          py::arg("other").noconvert(), py::arg("num_threads"));
}

}  // namespace

void register_tall_product(py::module_& m) {
    define<float>(m);
    define<double>(m);
}

}  // namespace graphopt::bindings
