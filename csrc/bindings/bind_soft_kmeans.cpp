#include "arrays.hpp"
#include "graphopt/clustering/soft_kmeans.hpp"
#include "graphopt/clustering/unit_rows.hpp"

namespace graphopt::bindings {
namespace {

py::ssize_t signed_size(std::size_t n) { return static_cast<py::ssize_t>(n); }

// Reads the sizes off x and the centres, (n_graphs, n_clusters, width), and checks that they agree.
template <class T>
SoftKMeansProblem<T> problem_in(const Array<T>& x, const Array<std::int64_t>& offsets,
                                const Array<T>& centers, double temperature, int num_threads) {
    require_rank(x, 2, "x");
    require_rank(centers, 3, "centers");
    SoftKMeansProblem<T> problem{
        in(x),
        vector_in(offsets, "offsets"),
        static_cast<std::size_t>(centers.shape(2)),
        static_cast<std::size_t>(centers.shape(1)),
        static_cast<T>(temperature),
        num_threads,
    };
    if (problem.width == 0 || problem.n_clusters == 0) {
        throw std::invalid_argument("centers must have at least one row and one column");
    }
    if (static_cast<std::size_t>(x.shape(1)) != problem.width) {
        throw std::invalid_argument("x must have as many columns as centers, " +
                                    std::to_string(problem.width) + ", not " +
                                    std::to_string(x.shape(1)));
    }
    require_size(offsets, static_cast<std::size_t>(centers.shape(0)) + 1, "offsets");
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

template <class T>
std::span<const T> optional_in(const std::optional<Array<T>>& array, std::size_t size,
                               const char* name) {
    if (!array) return {};
    require_size(*array, size, name);
    return in(*array);
}

// image, mass and assignment at `centers`.
template <class T>
SoftKMeansPoint<T> point_in(const SoftKMeansProblem<T>& problem, const Array<T>& centers,
                            const Array<T>& image, const Array<T>& mass,
                            const std::optional<Array<T>>& assignment) {
    require_size(image, problem.centers_size(), "image");
    require_size(mass, problem.n_graphs() * problem.n_clusters, "mass");
    return {in(centers), in(image), in(mass),
            optional_in(assignment, problem.n_rows() * problem.n_clusters, "assignment")};
}

template <class T>
py::tuple py_soft_kmeans(const Array<T>& x, const Array<std::int64_t>& offsets,
                         const Array<T>& centers, double temperature, std::size_t iterations,
                         std::size_t kept, bool want_assignment, bool normalize, int num_threads) {
    const auto problem = problem_in(x, offsets, centers, temperature, num_threads);
    if (kept > iterations) throw std::invalid_argument("kept must be at most iterations");
    const py::ssize_t graphs = signed_size(problem.n_graphs());
    const py::ssize_t clusters = signed_size(problem.n_clusters);
    const py::ssize_t width = signed_size(problem.width);
    auto result = empty<T>({graphs, clusters, width});
    auto assignment = empty<T>({want_assignment ? x.shape(0) : 0, clusters});
    auto history = empty<T>({signed_size(kept), graphs, clusters, width});
    auto mass = empty<T>({signed_size(kept), graphs, clusters});
    const SoftKMeansOutput<T> output{out(result), out(assignment), out(history), out(mass), kept};
    const std::span<const T> start = in(centers);
    {
        const py::gil_scoped_release nogil;
        soft_kmeans<T>(problem, start, iterations, normalize, output);
    }
    return py::make_tuple(result, assignment, history, mass);
}

template <class T>
Array<T> py_step_vjp(const Array<T>& x, const Array<std::int64_t>& offsets, const Array<T>& centers,
                     const Array<T>& image, const Array<T>& mass,
                     const std::optional<Array<T>>& assignment, const Array<T>& u,
                     double temperature, Array<T>& to_rows, int num_threads) {
    const auto problem = problem_in(x, offsets, centers, temperature, num_threads);
    const auto point = point_in(problem, centers, image, mass, assignment);
    require_size(u, problem.centers_size(), "u");
    require_size(to_rows, problem.n_rows() * problem.width, "to_rows");
    auto to_centers = empty<T>({centers.shape(0), centers.shape(1), centers.shape(2)});
    const std::span<const T> direction = in(u);
    const std::span<T> centers_out = out(to_centers);
    const std::span<T> rows_out = out(to_rows);
    {
        const py::gil_scoped_release nogil;
        soft_kmeans_step_vjp<T>(problem, point, direction, centers_out, rows_out);
    }
    return to_centers;
}

template <class T>
py::tuple py_assignment_vjp(const Array<T>& x, const Array<std::int64_t>& offsets,
                            const Array<T>& centers, const Array<T>& assignment,
                            const Array<T>& gradient, double temperature, int num_threads) {
    const auto problem = problem_in(x, offsets, centers, temperature, num_threads);
    require_size(assignment, problem.n_rows() * problem.n_clusters, "assignment");
    require_size(gradient, problem.n_rows() * problem.n_clusters, "gradient");
    auto to_rows = empty<T>({x.shape(0), x.shape(1)});
    auto to_centers = empty<T>({centers.shape(0), centers.shape(1), centers.shape(2)});
    const std::span<const T> at = in(centers);
    const std::span<const T> r = in(assignment);
    const std::span<const T> g = in(gradient);
    const std::span<T> rows_out = out(to_rows);
    const std::span<T> centers_out = out(to_centers);
    {
        const py::gil_scoped_release nogil;
        soft_kmeans_assignment_vjp<T>(problem, at, r, g, centers_out, rows_out);
    }
    return py::make_tuple(to_rows, to_centers);
}

template <class T>
py::tuple py_solve(const Array<T>& x, const Array<std::int64_t>& offsets, const Array<T>& centers,
                   const Array<T>& image, const Array<T>& mass, const Array<T>& assignment,
                   const Array<T>& v, double temperature, double tolerance,
                   std::size_t max_iterations, int num_threads) {
    const auto problem = problem_in(x, offsets, centers, temperature, num_threads);
    const auto point = point_in(problem, centers, image, mass, std::optional<Array<T>>(assignment));
    require_size(v, problem.centers_size(), "v");
    auto u = empty<T>({centers.shape(0), centers.shape(1), centers.shape(2)});
    std::vector<GmresReport> reports(problem.n_graphs());
    const std::span<const T> target = in(v);
    const std::span<T> solution = out(u);
    {
        const py::gil_scoped_release nogil;
        soft_kmeans_solve<T>(problem, point, target, {tolerance, max_iterations}, solution,
                             reports);
    }
    py::list rows;
    for (const GmresReport& report : reports) {
        rows.append(py::make_tuple(report.iterations, report.residual, report.converged));
    }
    return py::make_tuple(u, rows);
}

Array<double> py_jacobian(const Array<double>& x, const Array<double>& centers,
                          const Array<double>& image, const Array<double>& mass,
                          const Array<double>& assignment, double temperature, int num_threads) {
    Array<std::int64_t> offsets = empty<std::int64_t>({2});
    offsets.mutable_at(0) = 0;
    offsets.mutable_at(1) = x.ndim() == 0 ? 0 : x.shape(0);
    const auto problem = problem_in(x, offsets, centers, temperature, num_threads);
    const auto point =
        point_in(problem, centers, image, mass, std::optional<Array<double>>(assignment));
    const py::ssize_t size = signed_size(problem.n_clusters * problem.width);
    auto jacobian = empty<double>({size, size});
    const std::span<double> result = out(jacobian);
    {
        const py::gil_scoped_release nogil;
        soft_kmeans_jacobian(problem, point, result);
    }
    return jacobian;
}

template <class T>
py::tuple py_unit_rows(const Array<T>& x, int num_threads) {
    require_rank(x, 2, "x");
    auto unit = empty<T>({x.shape(0), x.shape(1)});
    auto lengths = empty<T>({x.shape(0)});
    const std::span<const T> rows = in(x);
    const std::span<T> unit_out = out(unit);
    const std::span<T> lengths_out = out(lengths);
    const auto width = static_cast<std::size_t>(x.shape(1));
    {
        const py::gil_scoped_release nogil;
        unit_rows<T>(rows, width, num_threads, unit_out, lengths_out);
    }
    return py::make_tuple(unit, lengths);
}

template <class T>
Array<T> py_unit_rows_vjp(const Array<T>& unit, const Array<T>& lengths, const Array<T>& gradient,
                          int num_threads) {
    require_rank(unit, 2, "unit");
    require_size(lengths, static_cast<std::size_t>(unit.shape(0)), "lengths");
    require_size(gradient, static_cast<std::size_t>(unit.size()), "gradient");
    auto to_x = empty<T>({unit.shape(0), unit.shape(1)});
    const std::span<const T> rows = in(unit);
    const std::span<const T> length = in(lengths);
    const std::span<const T> g = in(gradient);
    const std::span<T> result = out(to_x);
    const auto width = static_cast<std::size_t>(unit.shape(1));
    {
        const py::gil_scoped_release nogil;
        unit_rows_vjp<T>(rows, length, g, width, num_threads, result);
    }
    return to_x;
}

template <class T>
void register_for(py::module_& m) {
    m.def("soft_kmeans", &py_soft_kmeans<T>, py::arg("x").noconvert(),
          py::arg("offsets").noconvert(), py::arg("centers").noconvert(), py::arg("temperature"),
          py::arg("iterations"), py::arg("kept"), py::arg("want_assignment"), py::arg("normalize"),
          py::arg("num_threads"));
    m.def("soft_kmeans_step_vjp", &py_step_vjp<T>, py::arg("x").noconvert(),
          py::arg("offsets").noconvert(), py::arg("centers").noconvert(),
          py::arg("image").noconvert(), py::arg("mass").noconvert(),
          py::arg("assignment").noconvert().none(true), py::arg("u").noconvert(),
          py::arg("temperature"), py::arg("to_rows").noconvert(), py::arg("num_threads"));
    m.def("soft_kmeans_assignment_vjp", &py_assignment_vjp<T>, py::arg("x").noconvert(),
          py::arg("offsets").noconvert(), py::arg("centers").noconvert(),
          py::arg("assignment").noconvert(), py::arg("gradient").noconvert(),
          py::arg("temperature"), py::arg("num_threads"));
    m.def("soft_kmeans_solve", &py_solve<T>, py::arg("x").noconvert(),
          py::arg("offsets").noconvert(), py::arg("centers").noconvert(),
          py::arg("image").noconvert(), py::arg("mass").noconvert(),
          py::arg("assignment").noconvert(), py::arg("v").noconvert(), py::arg("temperature"),
          py::arg("tolerance"), py::arg("max_iterations"), py::arg("num_threads"));
    m.def("unit_rows", &py_unit_rows<T>, py::arg("x").noconvert(), py::arg("num_threads"));
    m.def("unit_rows_vjp", &py_unit_rows_vjp<T>, py::arg("unit").noconvert(),
          py::arg("lengths").noconvert(), py::arg("gradient").noconvert(), py::arg("num_threads"));
}

}  // namespace

void register_soft_kmeans(py::module_& m) {
    register_for<float>(m);
    register_for<double>(m);
    m.def("soft_kmeans_jacobian", &py_jacobian, py::arg("x").noconvert(),
          py::arg("centers").noconvert(), py::arg("image").noconvert(), py::arg("mass").noconvert(),
          py::arg("assignment").noconvert(), py::arg("temperature"), py::arg("num_threads"));
}

}  // namespace graphopt::bindings
