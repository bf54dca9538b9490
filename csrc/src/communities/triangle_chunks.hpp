// How the upper triangle of a matrix is shared out among threads.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace graphopt {

// Chunks begin at multiples of it, whatever number of rows a kernel takes at a time.
inline constexpr std::size_t triangle_step = 8;

// The first rows of chunks of equal area, and n.
inline std::vector<std::size_t> triangle_chunks(std::size_t n) {
    // 1 MB: some tens of microseconds, which waking a thread must not outweigh.
    constexpr std::size_t entries_per_chunk = std::size_t{1} << 17;
    const std::size_t n_chunks =
        std::clamp(n * n / 2 / entries_per_chunk, std::size_t{1}, std::size_t{64});
    std::vector<std::size_t> bounds(n_chunks + 1, n);
    for (std::size_t chunk = 0; chunk < n_chunks; ++chunk) {
        const double below = 1.0 - static_cast<double>(chunk) / static_cast<double>(n_chunks);
        const double above = static_cast<double>(n) * (1.0 - std::sqrt(below));
        bounds[chunk] = static_cast<std::size_t>(above) / triangle_step * triangle_step;
    }
    return bounds;
}

}  // namespace graphopt
