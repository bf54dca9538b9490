// The edge between NumPy and the kernels: memory safety only. Arrays arrive with the exact dtype,
// C-contiguous (every argument is bound with .noconvert()); Python has already judged whether the
// request makes sense. All array work is done while the GIL is held, before it is released.
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
#include <vector>

#include "graphopt/support/csr.hpp"

namespace graphopt::bindings {

namespace py = pybind11;

template <class T>
using Array = py::array_t<T, py::array::c_style>;

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
void require_square(const Array<T>& array, const char* name) {
    require_rank(array, 2, name);
    if (array.shape(0) != array.shape(1)) {
        throw std::invalid_argument(std::string(name) + " must be square, not " +
                                    std::to_string(array.shape(0)) + " x " +
                                    std::to_string(array.shape(1)));
    }
}

template <class T>
std::span<const T> in(const Array<T>& array) {
    return {array.data(), static_cast<std::size_t>(array.size())};
}

// A 1D argument as a span.
template <class T>
std::span<const T> vector_in(const Array<T>& array, const char* name) {
    require_rank(array, 1, name);
    return in(array);
}

// Freshly allocated output; never aliases an input.
template <class T>
Array<T> empty(std::vector<py::ssize_t> shape) {
    return Array<T>(std::move(shape));
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
inline CsrView csr_in(const Array<EdgeOffset>& indptr, const Array<NodeId>& indices,
                      const std::optional<Array<double>>& weights) {
    CsrView view{vector_in(indptr, "indptr"), vector_in(indices, "indices"), {}};
    if (view.indptr.empty() || view.indptr.back() != static_cast<EdgeOffset>(view.indices.size())) {
        throw std::invalid_argument("indptr must end with the length of indices");
    }
    if (weights) {
        view.weights = vector_in(*weights, "weights");
        require_size(*weights, view.indices.size(), "weights");
    }
    return view;
}

}  // namespace graphopt::bindings
