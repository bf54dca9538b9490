// How functions are bound: def_kernel and without_lock, used by all.
#pragma once

#include <type_traits>
#include <utility>

#include "arrays.hpp"

namespace graphopt::bindings {

template <class T>
inline constexpr bool is_array = false;
template <class T>
inline constexpr bool is_array<Array<T>> = true;
template <class T>
inline constexpr bool is_array<Maybe<T>> = true;

// def_kernel(m, "name", &function, "first", "second", ...) adds an overload of m.name that takes
// arguments of these names. Arrays must have the exact dtype and lie contiguously: none is
// converted.
template <class Result, class... Arguments, class... Names>
void def_kernel(py::module_& m, const char* name, Result (*function)(Arguments...),
                Names... names) {
    static_assert(sizeof...(Arguments) == sizeof...(Names), "a name for each argument");
    m.def(name, function, py::arg(names).noconvert(is_array<std::remove_cvref_t<Arguments>>)...);
}

// Calls kernel(arguments...) without the interpreter's lock. The arguments are spans and plain
// values: all work on arrays is done when they have been evaluated, before the lock is released.
template <class Kernel, class... Arguments>
auto without_lock(const Kernel& kernel, Arguments&&... arguments) {
    const py::gil_scoped_release unlocked;
    return kernel(std::forward<Arguments>(arguments)...);
}

}  // namespace graphopt::bindings
