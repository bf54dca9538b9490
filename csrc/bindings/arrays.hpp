// NumPy arrays at the edge of the kernels: memory safety only. Arrays arrive with the exact dtype,
// C-contiguous (def_kernel.hpp); Python has already judged whether the request makes sense.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "graphopt/support/csr.hpp"
#include "graphopt/support/sparse.hpp"

namespace graphopt::bindings {

namespace py = pybind11;

template <class T>
using Array = py::array_t<T, py::array::c_style>;
using Offsets = Array<EdgeOffset>;
using Nodes = Array<NodeId>;
template <class T>
using Maybe = std::optional<Array<T>>;
using Weights = Maybe<double>;
using Mask = Maybe<std::uint8_t>;

// For errors: the first word names the argument.
template <class T>
void require_rank(const Array<T>& array, py::ssize_t rank, const char* name) {
    if (array.ndim() != rank) {
        throw std::invalid_argument(std::string(name) + " must be " + std::to_string(rank) +
                                    "D, not " + std::to_string(array.ndim()) + "D");
    }
}

template <class T>
void require_size(const Array<T>& array, std::size_t size, const char* name) {
    if (static_cast<std::size_t>(array.size()) != size) {
        throw std::invalid_argument(std::string(name) + " must have " + std::to_string(size) +
                                    " elements, not " + std::to_string(array.size()));
    }
}

template <class T>
std::size_t size_of(const Array<T>& array, py::ssize_t axis) {
    return static_cast<std::size_t>(array.shape(axis));
}

template <class T>
void require_shape(const Array<T>& array, std::size_t rows, std::size_t columns, const char* name) {
    require_rank(array, 2, name);
    if (size_of(array, 0) != rows || size_of(array, 1) != columns) {
        throw std::invalid_argument(std::string(name) + " must have shape (" +
                                    std::to_string(rows) + ", " + std::to_string(columns) + ")");
    }
}

// Returns the number of rows, which is that of the columns.
template <class T>
std::size_t require_square(const Array<T>& array, const char* name) {
    require_rank(array, 2, name);
    if (array.shape(0) != array.shape(1)) {
        throw std::invalid_argument(std::string(name) + " must be square, not " +
                                    std::to_string(array.shape(0)) + " x " +
                                    std::to_string(array.shape(1)));
    }
    return size_of(array, 0);
}

// All elements as a span; of the given number, of a vector, or of a vector of the given length.
template <class T>
std::span<const T> in(const Array<T>& array) {
    return {array.data(), static_cast<std::size_t>(array.size())};
}

template <class T>
std::span<const T> sized_in(const Array<T>& array, std::size_t size, const char* name) {
    require_size(array, size, name);
    return in(array);
}

template <class T>
std::span<const T> vector_in(const Array<T>& array, const char* name) {
    require_rank(array, 1, name);
    return in(array);
}

template <class T>
std::span<const T> vector_in(const Array<T>& array, std::size_t size, const char* name) {
    require_rank(array, 1, name);
    return sized_in(array, size, name);
}

// An empty span for None.
template <class T>
std::span<const T> vector_in(const Maybe<T>& array, std::size_t size, const char* name) {
    return array ? vector_in(*array, size, name) : std::span<const T>{};
}

// Freshly allocated output; never aliases an input.
template <class T, class... Sizes>
Array<T> empty(Sizes... shape) {
    return Array<T>(std::vector<py::ssize_t>{static_cast<py::ssize_t>(shape)...});
}

template <class T>
Array<T> empty_like(const Array<T>& array) {
    return Array<T>(std::vector<py::ssize_t>(array.shape(), array.shape() + array.ndim()));
}

template <class T>
std::span<T> out(Array<T>& array) {
    return {array.mutable_data(), static_cast<std::size_t>(array.size())};
}

// Hands a vector to NumPy without a copy.
template <class T>
py::array_t<T> adopt(std::vector<T>&& values) {
    auto owner = std::make_unique<std::vector<T>>(std::move(values));
    T* const data = owner->data();
    const auto size = static_cast<py::ssize_t>(owner->size());
    py::capsule capsule(owner.get(), [](void* p) { delete static_cast<std::vector<T>*>(p); });
    owner.release();
    return py::array_t<T>(size, data, capsule);
}

// The three arrays of a Graph. They were checked when the Graph was made and are read-only since,
// so only their lengths are looked at here. Unweighted: `weights` is None.
inline CsrView csr_in(const Offsets& indptr, const Nodes& indices, const Weights& weights) {
    CsrView view{vector_in(indptr, "indptr"), vector_in(indices, "indices"), {}};
    if (view.indptr.empty() || view.indptr.back() != static_cast<EdgeOffset>(view.indices.size())) {
        throw std::invalid_argument("indptr must end with the length of indices");
    }
    view.weights = vector_in(weights, view.indices.size(), "weights");
    return view;
}

// The arrays of a sparse matrix. They may be tensors that somebody has changed since the matrix was
// made, or that come straight from torch.ops, so they are checked with every call: a small part of
// the time of a product.
template <class Real>
SparseView<Real> sparse_in(const Offsets& indptr, const Nodes& indices, const Array<Real>& values,
                           std::size_t n_columns) {
    const SparseView<Real> matrix{vector_in(indptr, "indptr"), vector_in(indices, "indices"),
                                  vector_in(values, "values")};
    require_size(values, matrix.indices.size(), "values");
    check_sparse(matrix.indptr, matrix.indices, n_columns);
    return matrix;
}

}  // namespace graphopt::bindings
