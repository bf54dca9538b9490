// The table of contents of graphopt._native._core: one line, one file.
#include <pybind11/pybind11.h>

#define GRAPHOPT_FOR_SUBJECTS(X) \
    X(support) X(paths) X(centers) X(communities) X(clustering) X(facility) X(nn)

namespace graphopt::bindings {
#define GRAPHOPT_DECLARE(subject) void register_##subject(pybind11::module_& m);
GRAPHOPT_FOR_SUBJECTS(GRAPHOPT_DECLARE)
}  // namespace graphopt::bindings

PYBIND11_MODULE(_core, m) {
    m.doc() = "Compiled kernels of graphopt. Use the functions of the package instead.";
#define GRAPHOPT_REGISTER(subject) graphopt::bindings::register_##subject(m);
    GRAPHOPT_FOR_SUBJECTS(GRAPHOPT_REGISTER)
}
