// The element types that kernels are compiled for: each list is written here and nowhere else.
#pragma once

#include <cstdint>

// GRAPHOPT_FOR_REALS(X, a, b) expands to X(a, b, float) X(a, b, double); a and b may be left out.
// Lists nest: GRAPHOPT_FOR_HOPS(GRAPHOPT_FOR_REALS, X) calls X with every pair of both types.
#define GRAPHOPT_FOR_REALS(X, ...)      \
    X(__VA_ARGS__ __VA_OPT__(, ) float) \
    X(__VA_ARGS__ __VA_OPT__(, ) double)
// Distances counted in hops, as narrow as they fit.
#define GRAPHOPT_FOR_HOPS(X, ...)               \
    X(__VA_ARGS__ __VA_OPT__(, ) std::uint8_t)  \
    X(__VA_ARGS__ __VA_OPT__(, ) std::uint16_t) \
    X(__VA_ARGS__ __VA_OPT__(, ) std::uint32_t)
// Distances of either kind: hops or lengths.
#define GRAPHOPT_FOR_DISTANCES(X, ...)              \
    GRAPHOPT_FOR_HOPS(X __VA_OPT__(, ) __VA_ARGS__) \
    GRAPHOPT_FOR_REALS(X __VA_OPT__(, ) __VA_ARGS__)
// The indices of SciPy's sparse matrices.
#define GRAPHOPT_FOR_INDICES(X, ...)           \
    X(__VA_ARGS__ __VA_OPT__(, ) std::int32_t) \
    X(__VA_ARGS__ __VA_OPT__(, ) std::int64_t)

// Compiles a function template for a type: GRAPHOPT_FOR_REALS(GRAPHOPT_INSTANTIATE, spmm).
#define GRAPHOPT_INSTANTIATE(function, ...) \
    template decltype(function<__VA_ARGS__>) function<__VA_ARGS__>;

namespace graphopt {

#define GRAPHOPT_CALL_WITH(action, type) action.template operator()<type>();

// Each calls action.operator()<T>() for every type of its list, in order.
template <class Action>
void for_each_real(const Action& action) {
    GRAPHOPT_FOR_REALS(GRAPHOPT_CALL_WITH, action)
}
template <class Action>
void for_each_hops(const Action& action) {
    GRAPHOPT_FOR_HOPS(GRAPHOPT_CALL_WITH, action)
}
template <class Action>
void for_each_distance(const Action& action) {
    GRAPHOPT_FOR_DISTANCES(GRAPHOPT_CALL_WITH, action)
}
template <class Action>
void for_each_index(const Action& action) {
    GRAPHOPT_FOR_INDICES(GRAPHOPT_CALL_WITH, action)
}

#undef GRAPHOPT_CALL_WITH

}  // namespace graphopt
