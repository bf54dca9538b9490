// The table of contents of graphopt._native._core: one line, one file.
#include <pybind11/pybind11.h>

namespace graphopt::bindings {

void register_adam(pybind11::module_& m);
void register_build(pybind11::module_& m);
void register_cnm(pybind11::module_& m);
void register_csr(pybind11::module_& m);
void register_dropout(pybind11::module_& m);
void register_facility(pybind11::module_& m);
void register_finite(pybind11::module_& m);
void register_gcn(pybind11::module_& m);
void register_k_center(pybind11::module_& m);
void register_kernighan_lin(pybind11::module_& m);
void register_modularity(pybind11::module_& m);
void register_paths(pybind11::module_& m);
void register_polish(pybind11::module_& m);
void register_rounding(pybind11::module_& m);
void register_set_cover(pybind11::module_& m);
void register_soft_kmeans(pybind11::module_& m);
void register_spmm(pybind11::module_& m);
void register_swap_search(pybind11::module_& m);
void register_symmetric_product(pybind11::module_& m);
void register_tall_product(pybind11::module_& m);
void register_weight_within(pybind11::module_& m);

}  // namespace graphopt::bindings

PYBIND11_MODULE(_core, m) {
    using namespace graphopt::bindings;
    m.doc() = "Compiled kernels of graphopt. Use the functions of the package instead.";
    register_adam(m);
    register_build(m);
    register_cnm(m);
    register_csr(m);
    register_dropout(m);
    register_facility(m);
    register_finite(m);
    register_gcn(m);
    register_k_center(m);
    register_kernighan_lin(m);
    register_modularity(m);
    register_paths(m);
    register_polish(m);
    register_rounding(m);
    register_set_cover(m);
    register_soft_kmeans(m);
    register_spmm(m);
    register_swap_search(m);
    register_symmetric_product(m);
    register_tall_product(m);
    register_weight_within(m);
}
