#include "graphopt/nn/dropout.hpp"

#include <cstddef>

#include "dropout_mask.hpp"
#include "graphopt/support/parallel.hpp"
#include "graphopt/support/simd.hpp"

namespace graphopt {
namespace {

GRAPHOPT_MULTIVERSION_FN void drop_stretch(const float* values, std::size_t count,
                                           DropoutRule<float> rule, DropoutKeys keys, float* out) {
    drop(values, 0, count, rule, keys, out);
}

GRAPHOPT_MULTIVERSION_FN void drop_stretch(const double* values, std::size_t count,
                                           DropoutRule<double> rule, DropoutKeys keys,
                                           double* out) {
    drop(values, 0, count, rule, keys, out);
}

template <class Real>
void dropout_all(std::span<const Real> values, double share, std::uint64_t seed,
                 std::span<Real> out, int num_threads) {
    const DropoutRule<Real> rule(share);
    parallel_ranges(values.size(), dropout_stretch, num_threads,
                    [&](std::size_t begin, std::size_t end, std::size_t stretch, int) {
                        drop_stretch(values.data() + begin, end - begin, rule,
                                     dropout_keys(seed, stretch), out.data() + begin);
                    });
}

}  // namespace

void dropout(std::span<const float> values, double share, std::uint64_t seed, std::span<float> out,
             int num_threads) {
    dropout_all(values, share, seed, out, num_threads);
}

void dropout(std::span<const double> values, double share, std::uint64_t seed,
             std::span<double> out, int num_threads) {
    dropout_all(values, share, seed, out, num_threads);
}

}  // namespace graphopt
