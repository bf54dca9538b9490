#include "graphopt/nn/dropout.hpp"

#include <cstddef>

#include "dropout_mask.hpp"
#include "graphopt/support/element_types.hpp"
#include "graphopt/support/parallel.hpp"
#include "graphopt/support/simd.hpp"

namespace graphopt {
namespace {

#define GRAPHOPT_DROP_STRETCH(Real)                                                      \
    GRAPHOPT_MULTIVERSION_FN void drop_stretch(const Real* values, std::size_t count,    \
                                               DropoutRule<Real> rule, DropoutKeys keys, \
                                               Real* out) {                              \
        drop(values, 0, count, rule, keys, out);                                         \
    }
GRAPHOPT_FOR_REALS(GRAPHOPT_DROP_STRETCH)
#undef GRAPHOPT_DROP_STRETCH

}  // namespace

template <class Real>
void dropout(std::span<const Real> values, double share, std::uint64_t seed, std::span<Real> out,
             int num_threads) {
    const DropoutRule<Real> rule(share);
    parallel_ranges(values.size(), dropout_stretch, num_threads,
                    [&](std::size_t begin, std::size_t end, std::size_t stretch, int) {
                        drop_stretch(values.data() + begin, end - begin, rule,
                                     dropout_keys(seed, stretch), out.data() + begin);
                    });
}

GRAPHOPT_FOR_REALS(GRAPHOPT_INSTANTIATE, dropout)

}  // namespace graphopt
