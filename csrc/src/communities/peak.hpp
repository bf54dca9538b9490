// The largest of many numbers that are computed on the fly, and the first place it is found.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <limits>

#include "graphopt/support/simd.hpp"

namespace graphopt {

struct Peak {
    double value;
    std::size_t index;
};

inline constexpr std::size_t peak_width = simd_bytes / sizeof(double);

GRAPHOPT_ALWAYS_INLINE float64x8 load_line(const double* from) {
    float64x8 line;
    std::memcpy(&line, from, sizeof(line));
    return line;
}

// line_at(k) returns the numbers k to k + 7. `size` is a positive multiple of 8; no number is NaN.
template <class LineAt>
GRAPHOPT_ALWAYS_INLINE Peak first_peak(std::size_t size, LineAt line_at) {
    std::array<float64x8, 4> best;
    best.fill(line_at(0));
    std::size_t k = peak_width;
    for (; k + best.size() * peak_width <= size; k += best.size() * peak_width) {
        for (std::size_t part = 0; part < best.size(); ++part) {
            const float64x8 line = line_at(k + part * peak_width);
            best[part] = best[part] < line ? line : best[part];
        }
    }
    for (; k < size; k += peak_width) {
        const float64x8 line = line_at(k);
        best[0] = best[0] < line ? line : best[0];
    }
    double largest = -std::numeric_limits<double>::infinity();
    for (const float64x8& line : best) {
        for (std::size_t lane = 0; lane < peak_width; ++lane) {
            largest = std::max(largest, line[lane]);
        }
    }
    for (k = 0;; k += peak_width) {
        const float64x8 line = line_at(k);
        for (std::size_t lane = 0; lane < peak_width; ++lane) {
            if (line[lane] == largest) return {largest, k + lane};
        }
    }
}

}  // namespace graphopt
