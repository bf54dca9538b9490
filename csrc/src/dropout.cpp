#include "graphopt/dropout.hpp"

#include <cstddef>

#include "graphopt/parallel.hpp"
#include "graphopt/random.hpp"
#include "graphopt/simd.hpp"

namespace graphopt {
namespace {

// Large enough that a second thread is worth waking, and below 2^32 positions by far.
constexpr std::size_t chunk_size = std::size_t{1} << 16;

// Two multiplications and three shifts spread every bit of the position over the word; the keys
// make another function of it for every chunk of every seed.
GRAPHOPT_ALWAYS_INLINE std::uint32_t scrambled(std::uint32_t position, std::uint32_t key_in,
                                               std::uint32_t key_out) {
    std::uint32_t x = position + key_in;
    x = (x ^ (x >> 16)) * 0x7FEB352DU;
    x = (x ^ (x >> 15)) * 0x846CA68BU;
    return (x ^ (x >> 16)) ^ key_out;
}

struct Keys {
    std::uint32_t in;
    std::uint32_t out;
};

template <class Real>
GRAPHOPT_ALWAYS_INLINE void drop_body(const Real* values, std::size_t count,
                                      std::uint32_t threshold, Real scale, Keys keys, Real* out) {
    for (std::size_t i = 0; i < count; ++i) {
        const bool kept = scrambled(static_cast<std::uint32_t>(i), keys.in, keys.out) >= threshold;
        out[i] = kept ? values[i] * scale : Real{0};
    }
}

GRAPHOPT_MULTIVERSION_FN void drop(const float* values, std::size_t count, std::uint32_t threshold,
                                   float scale, Keys keys, float* out) {
    drop_body(values, count, threshold, scale, keys, out);
}

GRAPHOPT_MULTIVERSION_FN void drop(const double* values, std::size_t count, std::uint32_t threshold,
                                   double scale, Keys keys, double* out) {
    drop_body(values, count, threshold, scale, keys, out);
}

template <class Real>
void dropout_all(std::span<const Real> values, double share, std::uint64_t seed,
                 std::span<Real> out, int num_threads) {
    const auto threshold = static_cast<std::uint32_t>(share * 0x1p32);
    const auto scale = static_cast<Real>(1.0 / (1.0 - share));
    parallel_ranges(values.size(), chunk_size, num_threads,
                    [&](std::size_t begin, std::size_t end, std::size_t chunk, int) {
                        const std::uint64_t word = SplitMix64(seed, chunk)();
                        const Keys keys{static_cast<std::uint32_t>(word),
                                        static_cast<std::uint32_t>(word >> 32)};
                        drop(values.data() + begin, end - begin, threshold, scale, keys,
                             out.data() + begin);
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
