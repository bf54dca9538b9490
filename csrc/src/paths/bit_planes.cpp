#include "bit_planes.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace graphopt {
namespace {

static_assert(std::endian::native == std::endian::little, "bytes of a word are taken as nodes");

constexpr std::size_t tile = 64;  // nodes written together: a cache line of bytes in each row

// 64 words of 512 bits are eight 64 x 64 bit matrices side by side; all are transposed at once, by
// swapping ever smaller off-diagonal blocks. Afterwards bit i of rows[s][w] belongs to node i and
// source 64 w + s.
GRAPHOPT_ALWAYS_INLINE void transpose_bits(SourceBits* rows) {
    constexpr unsigned long long masks[6] = {0x00000000FFFFFFFF, 0x0000FFFF0000FFFF,
                                             0x00FF00FF00FF00FF, 0x0F0F0F0F0F0F0F0F,
                                             0x3333333333333333, 0x5555555555555555};
    for (unsigned step = 0; step < 6; ++step) {
        const std::size_t half = 32U >> step;
        for (std::size_t base = 0; base < tile; base += 2 * half) {
            for (std::size_t i = base; i < base + half; ++i) {
                const uint64x8 moved = ((rows[i].bits >> half) ^ rows[i + half].bits) & masks[step];
                rows[i + half].bits ^= moved;
                rows[i].bits ^= moved << half;
            }
        }
    }
}

// Transposes the 8 x 8 bit matrix in each of the eight 64-bit lanes (byte = row).
GRAPHOPT_ALWAYS_INLINE uint64x8 transpose_lanes(uint64x8 x) {
    uint64x8 moved = (x ^ (x >> 7)) & 0x00AA00AA00AA00AAULL;
    x ^= moved ^ (moved << 7);
    moved = (x ^ (x >> 14)) & 0x0000CCCC0000CCCCULL;
    x ^= moved ^ (moved << 14);
    moved = (x ^ (x >> 28)) & 0x00000000F0F0F0F0ULL;
    return x ^ moved ^ (moved << 28);
}

// 64 bytes, one a node, from up to eight planes' bits of these nodes. words[p * stride].
GRAPHOPT_ALWAYS_INLINE uint64x8 merge_planes(const unsigned long long* words, std::size_t stride,
                                             std::size_t n_planes) {
    const uint64x8 shift = {0, 8, 16, 24, 32, 40, 48, 56};
    uint64x8 lanes{};
    for (std::size_t p = 0; p < n_planes; ++p) {
        const uint64x8 eight = ((uint64x8{} + words[p * stride]) >> shift) & 0xFFULL;
        lanes |= eight << 8 * p;
    }
    return transpose_lanes(lanes);
}

// Every bit becomes a byte, 0 or 255.
GRAPHOPT_ALWAYS_INLINE uint64x8 widen_bits(unsigned long long word) {
    const uint64x8 bytes = merge_planes(&word, 0, 1);
    return (bytes << 8) - bytes;
}

GRAPHOPT_ALWAYS_INLINE void store_line(std::uint8_t* to, const uint64x8* groups,
                                       const uint64x8& unseen, std::size_t count) {
    const uint64x8 line = groups[0] | unseen;
    if (count == tile) {
        std::memcpy(to, &line, tile);
    } else {
        std::memcpy(to, &line, count);
    }
}

GRAPHOPT_ALWAYS_INLINE void store_line(std::uint16_t* to, const uint64x8* groups,
                                       const uint64x8& unseen, std::size_t count) {
    std::uint8_t low[tile], high[tile];
    const uint64x8 halves[2] = {groups[0] | unseen, groups[1] | unseen};
    std::memcpy(low, &halves[0], tile);
    std::memcpy(high, &halves[1], tile);
    for (std::size_t i = 0; i < count; ++i) {
        to[i] = static_cast<std::uint16_t>(low[i] | high[i] << 8);
    }
}

template <class T>
GRAPHOPT_ALWAYS_INLINE void write_all(std::span<const SourceBits* const> planes,
                                      const SourceBits* seen, std::span<T* const> rows,
                                      std::size_t first, std::size_t last) {
    constexpr std::size_t words = sizeof(SourceBits) / sizeof(unsigned long long);
    const std::size_t n_planes = planes.size();
    SourceBits bits[8 * sizeof(T)][tile];
    SourceBits unseen[tile];
    for (std::size_t begin = first; begin < last; begin += tile) {
        const std::size_t count = std::min(tile, last - begin);
        for (std::size_t p = 0; p < n_planes; ++p) {
            std::fill(std::copy_n(planes[p] + begin, count, bits[p]), bits[p] + tile, SourceBits{});
            transpose_bits(bits[p]);
        }
        for (std::size_t i = 0; i < count; ++i) unseen[i].bits = ~seen[begin + i].bits;
        std::fill(unseen + count, unseen + tile, SourceBits{});
        transpose_bits(unseen);

        for (std::size_t row = 0; row < rows.size(); ++row) {
            const std::size_t s = row % 64, w = row / 64;
            const auto* word = reinterpret_cast<const unsigned long long*>(&bits[0][s]) + w;
            uint64x8 groups[sizeof(T)];
            for (std::size_t g = 0; g < sizeof(T); ++g) {
                const std::size_t used =
                    n_planes > 8 * g ? std::min<std::size_t>(n_planes - 8 * g, 8) : 0;
                groups[g] = merge_planes(word + g * 8 * tile * words, tile * words, used);
            }
            const unsigned long long missing = unseen[s].bits[w];
            store_line(rows[row] + begin, groups, missing == 0 ? uint64x8{} : widen_bits(missing),
                       count);
        }
    }
}

}  // namespace

GRAPHOPT_MULTIVERSION_FN
void write_distances(std::span<const SourceBits* const> planes, const SourceBits* seen,
                     std::span<std::uint8_t* const> rows, std::size_t begin, std::size_t end) {
    write_all(planes, seen, rows, begin, end);
}

GRAPHOPT_MULTIVERSION_FN
void write_distances(std::span<const SourceBits* const> planes, const SourceBits* seen,
                     std::span<std::uint16_t* const> rows, std::size_t begin, std::size_t end) {
    write_all(planes, seen, rows, begin, end);
}

}  // namespace graphopt
