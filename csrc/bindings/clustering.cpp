// Soft k-means and its vector-Jacobian products.
#include "def_kernel.hpp"
#include "graphopt/clustering/soft_kmeans.hpp"
#include "graphopt/clustering/unit_rows.hpp"
#include "graphopt/support/element_types.hpp"

namespace graphopt::bindings {
namespace {

// Reads the sizes off x and the centres, (n_graphs, n_clusters, width), and checks that they agree.
template <class T>
SoftKMeansProblem<T> problem_in(const Array<T>& x, const Array<std::int64_t>& offsets,
                                const Array<T>& centers, double temperature, int num_threads) {
    require_rank(x, 2, "x");
    require_rank(centers, 3, "centers");
    const SoftKMeansProblem<T> problem{
        in(x),
        vector_in(offsets, size_of(centers, 0) + 1, "offsets"),
        size_of(centers, 2),
        size_of(centers, 1),
        static_cast<T>(temperature),
        num_threads,
    };
    if (problem.width == 0 || problem.n_clusters == 0) {
        throw std::invalid_argument("centers must have at least one row and one column");
    }
    if (size_of(x, 1) != problem.width) {
        throw std::invalid_argument("x must have as many columns as centers, " +
                                    std::to_string(problem.width) + ", not " +
                                    std::to_string(x.shape(1)));
    }
    for (std::size_t i = 0; i < problem.n_graphs(); ++i) {
        if (problem.offsets[i + 1] < problem.offsets[i]) {
            throw std::invalid_argument("offsets must not decrease");
        }
    }
    if (problem.offsets.front() != 0 || problem.offsets.back() != x.shape(0)) {
        throw std::invalid_argument("offsets must start at 0 and end at the rows of x");
    }
    return problem;
}

// A value for each row and cluster.
template <class T>
std::span<const T> assignment_in(const SoftKMeansProblem<T>& problem, const Array<T>& array,
                                 const char* name) {
    return sized_in(array, problem.n_rows() * problem.n_clusters, name);
}

// image, mass and, unless it is null, assignment at `centers`.
template <class T>
SoftKMeansPoint<T> point_in(const SoftKMeansProblem<T>& problem, const Array<T>& centers,
                            const Array<T>& image, const Array<T>& mass,
                            const Array<T>* assignment) {
    return {in(centers), sized_in(image, problem.centers_size(), "image"),
            sized_in(mass, problem.n_graphs() * problem.n_clusters, "mass"),
            assignment == nullptr ? std::span<const T>{}
                                  : assignment_in(problem, *assignment, "assignment")};
}

template <class T>
py::tuple py_soft_kmeans(const Array<T>& x, const Array<std::int64_t>& offsets,
                         const Array<T>& centers, double temperature, std::size_t iterations,
                         std::size_t kept, bool want_assignment, bool normalize, int num_threads) {
    const auto problem = problem_in(x, offsets, centers, temperature, num_threads);
    if (kept > iterations) throw std::invalid_argument("kept must be at most iterations");
    const std::size_t graphs = problem.n_graphs(), clusters = problem.n_clusters;
    auto result = empty_like(centers);
    auto assignment = empty<T>(want_assignment ? x.shape(0) : 0, clusters);
    auto history = empty<T>(kept, graphs, clusters, problem.width);
    auto mass = empty<T>(kept, graphs, clusters);
    const SoftKMeansOutput<T> output{out(result), out(assignment), out(history), out(mass), kept};
    without_lock(soft_kmeans<T>, problem, in(centers), iterations, normalize, output);
    return py::make_tuple(result, assignment, history, mass);
}

// Adds to `to_rows`, which its caller owns.
template <class T>
Array<T> py_step_vjp(const Array<T>& x, const Array<std::int64_t>& offsets, const Array<T>& centers,
                     const Array<T>& image, const Array<T>& mass, const Maybe<T>& assignment,
                     const Array<T>& u, double temperature, Array<T>& to_rows, int num_threads) {
    const auto problem = problem_in(x, offsets, centers, temperature, num_threads);
    const auto point = point_in(problem, centers, image, mass, assignment ? &*assignment : nullptr);
    require_size(to_rows, problem.rows.size(), "to_rows");
    auto to_centers = empty_like(centers);
    without_lock(soft_kmeans_step_vjp<T>, problem, point, sized_in(u, problem.centers_size(), "u"),
                 out(to_centers), out(to_rows));
    return to_centers;
}

template <class T>
py::tuple py_assignment_vjp(const Array<T>& x, const Array<std::int64_t>& offsets,
                            const Array<T>& centers, const Array<T>& assignment,
                            const Array<T>& gradient, double temperature, int num_threads) {
    const auto problem = problem_in(x, offsets, centers, temperature, num_threads);
    auto to_rows = empty_like(x);
    auto to_centers = empty_like(centers);
    without_lock(soft_kmeans_assignment_vjp<T>, problem, in(centers),
                 assignment_in(problem, assignment, "assignment"),
                 assignment_in(problem, gradient, "gradient"), out(to_centers), out(to_rows));
    return py::make_tuple(to_rows, to_centers);
}

template <class T>
py::tuple py_solve(const Array<T>& x, const Array<std::int64_t>& offsets, const Array<T>& centers,
                   const Array<T>& image, const Array<T>& mass, const Array<T>& assignment,
                   const Array<T>& v, double temperature, double tolerance,
                   std::size_t max_iterations, int num_threads) {
    const auto problem = problem_in(x, offsets, centers, temperature, num_threads);
    const auto point = point_in(problem, centers, image, mass, &assignment);
    auto u = empty_like(centers);
    std::vector<GmresReport> reports(problem.n_graphs());
    without_lock(soft_kmeans_solve<T>, problem, point, sized_in(v, problem.centers_size(), "v"),
                 GmresSettings{tolerance, max_iterations}, out(u), reports);
    py::list rows;
    for (const GmresReport& report : reports) {
        rows.append(py::make_tuple(report.iterations, report.residual, report.converged));
    }
    return py::make_tuple(u, rows);
}

Array<double> py_jacobian(const Array<double>& x, const Array<double>& centers,
                          const Array<double>& image, const Array<double>& mass,
                          const Array<double>& assignment, double temperature, int num_threads) {
    auto offsets = empty<std::int64_t>(2);
    offsets.mutable_at(0) = 0;
    offsets.mutable_at(1) = x.ndim() == 0 ? 0 : x.shape(0);
    const auto problem = problem_in(x, offsets, centers, temperature, num_threads);
    const auto point = point_in(problem, centers, image, mass, &assignment);
    auto jacobian = empty<double>(problem.centers_size(), problem.centers_size());
    without_lock(soft_kmeans_jacobian, problem, point, out(jacobian));
    return jacobian;
}

template <class T>
py::tuple py_unit_rows(const Array<T>& x, int num_threads) {
    require_rank(x, 2, "x");
    auto unit = empty_like(x);
    auto lengths = empty<T>(x.shape(0));
    without_lock(unit_rows<T>, in(x), size_of(x, 1), num_threads, out(unit), out(lengths));
    return py::make_tuple(unit, lengths);
}

template <class T>
Array<T> py_unit_rows_vjp(const Array<T>& unit, const Array<T>& lengths, const Array<T>& gradient,
                          int num_threads) {
    require_rank(unit, 2, "unit");
    auto to_x = empty_like(unit);
    without_lock(unit_rows_vjp<T>, in(unit), sized_in(lengths, size_of(unit, 0), "lengths"),
                 sized_in(gradient, in(unit).size(), "gradient"), size_of(unit, 1), num_threads,
                 out(to_x));
    return to_x;
}

}  // namespace

void register_clustering(py::module_& m) {
    for_each_real([&]<class T>() {
        def_kernel(m, "soft_kmeans", &py_soft_kmeans<T>, "x", "offsets", "centers", "temperature",
                   "iterations", "kept", "want_assignment", "normalize", "num_threads");
        def_kernel(m, "soft_kmeans_step_vjp", &py_step_vjp<T>, "x", "offsets", "centers", "image",
                   "mass", "assignment", "u", "temperature", "to_rows", "num_threads");
        def_kernel(m, "soft_kmeans_assignment_vjp", &py_assignment_vjp<T>, "x", "offsets",
                   "centers", "assignment", "gradient", "temperature", "num_threads");
        def_kernel(m, "soft_kmeans_solve", &py_solve<T>, "x", "offsets", "centers", "image", "mass",
                   "assignment", "v", "temperature", "tolerance", "max_iterations", "num_threads");
        def_kernel(m, "unit_rows", &py_unit_rows<T>, "x", "num_threads");
        def_kernel(m, "unit_rows_vjp", &py_unit_rows_vjp<T>, "unit", "lengths", "gradient",
                   "num_threads");
    });
    def_kernel(m, "soft_kmeans_jacobian", &py_jacobian, "x", "centers", "image", "mass",
               "assignment", "temperature", "num_threads");
}

}  // namespace graphopt::bindings
