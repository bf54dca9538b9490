#include "graphopt/nn/adam.hpp"

#include <cmath>
#include <cstddef>

#include "graphopt/support/parallel.hpp"
#include "graphopt/support/simd.hpp"

namespace graphopt {
namespace {

constexpr std::size_t chunk_size = std::size_t{1} << 14;

// The settings as the loop wants them: the running means start at 0, which the last two make up
// for.
template <class Real>
struct Factors {
    Real decay, keep1, take1, keep2, take2, epsilon, rate, root_scale;

    explicit Factors(const AdamSettings& s)
        : decay(static_cast<Real>(s.weight_decay)),
          keep1(static_cast<Real>(s.beta1)),
          take1(static_cast<Real>(1.0 - s.beta1)),
          keep2(static_cast<Real>(s.beta2)),
          take2(static_cast<Real>(1.0 - s.beta2)),
          epsilon(static_cast<Real>(s.epsilon)),
          rate(static_cast<Real>(s.learning_rate / (1.0 - std::pow(s.beta1, s.step)))),
          root_scale(static_cast<Real>(1.0 / std::sqrt(1.0 - std::pow(s.beta2, s.step)))) {}
};

template <class Real>
GRAPHOPT_ALWAYS_INLINE void update_body(Real* __restrict parameter, const Real* __restrict gradient,
                                        Real* __restrict first, Real* __restrict second,
                                        std::size_t count, const Factors<Real> f) {
    for (std::size_t i = 0; i < count; ++i) {
        const Real g = gradient[i] + f.decay * parameter[i];
        first[i] = f.keep1 * first[i] + f.take1 * g;
        second[i] = f.keep2 * second[i] + f.take2 * (g * g);
        parameter[i] -= f.rate * first[i] / (std::sqrt(second[i]) * f.root_scale + f.epsilon);
    }
}

GRAPHOPT_MULTIVERSION_FN void update(float* parameter, const float* gradient, float* first,
                                     float* second, std::size_t count, const Factors<float>& f) {
    update_body(parameter, gradient, first, second, count, f);
}

GRAPHOPT_MULTIVERSION_FN void update(double* parameter, const double* gradient, double* first,
                                     double* second, std::size_t count, const Factors<double>& f) {
    update_body(parameter, gradient, first, second, count, f);
}

template <class Real>
void step(std::span<Real> parameter, std::span<const Real> gradient, std::span<Real> first,
          std::span<Real> second, const AdamSettings& settings, int num_threads) {
    const Factors<Real> factors(settings);
    parallel_ranges(parameter.size(), chunk_size, num_threads,
                    [&](std::size_t begin, std::size_t end, std::size_t, int) {
                        update(parameter.data() + begin, gradient.data() + begin,
                               first.data() + begin, second.data() + begin, end - begin, factors);
                    });
}

}  // namespace

void adam_step(std::span<float> parameter, std::span<const float> gradient, std::span<float> first,
               std::span<float> second, const AdamSettings& settings, int num_threads) {
    step(parameter, gradient, first, second, settings, num_threads);
}

void adam_step(std::span<double> parameter, std::span<const double> gradient,
               std::span<double> first, std::span<double> second, const AdamSettings& settings,
               int num_threads) {
    step(parameter, gradient, first, second, settings, num_threads);
}

}  // namespace graphopt
