// The library's random numbers: a small explicit generator, one per draw, seeded by its number.
#pragma once

#include <cstddef>
#include <cstdint>

namespace graphopt {

// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
class SplitMix64 {
  public:
    explicit SplitMix64(std::uint64_t state) noexcept : state_(state) {}

    // The generator of draw number `stream`: the same whatever thread runs it.
    SplitMix64(std::uint64_t seed, std::uint64_t stream) noexcept
        : state_(SplitMix64(seed ^ SplitMix64(stream)())()) {}

    std::uint64_t operator()() noexcept {
        std::uint64_t z = state_ += 0x9E3779B97F4A7C15U;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
        return z ^ (z >> 31);
    }

    // In [0, 1), a multiple of 2^-53.
    double uniform() noexcept { return static_cast<double>((*this)() >> 11) * 0x1p-53; }

    // In [0, bound), for a bound below 2^32 or so.
    std::size_t below(std::size_t bound) noexcept {
        return static_cast<std::size_t>(uniform() * static_cast<double>(bound));
    }

  private:
    std::uint64_t state_;
};

}  // namespace graphopt
