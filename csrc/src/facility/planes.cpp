#include "planes.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "graphopt/support/vector_math.hpp"

namespace graphopt::facility {

SubsetLogs::SubsetLogs(std::span<const double> keep)
    : fours_(chunk_count(keep.size(), plane_sites) * (plane_sites / 4)) {
    for (std::size_t begin = 0; begin < keep.size(); begin += 4) {
        std::array<double, 16> sums{};
        for (std::size_t s = 0; s < std::min<std::size_t>(4, keep.size() - begin); ++s) {
            const double log = std::log2(keep[begin + s]);
            for (std::size_t subset = 0; subset < 16; ++subset) {
                if ((subset >> s & 1U) != 0) sums[subset] += log;
            }
        }
        std::array<float, 16> rounded;
        std::copy(sums.begin(), sums.end(), rounded.begin());
        std::memcpy(&fours_[begin / 4], rounded.data(), sizeof(rounded));
    }
}

#if GRAPHOPT_HAS_MULTIVERSION
namespace {

// A group is eight sites of the 64 customers, eight customers in each of eight lines. A tile has
// eight groups.
constexpr std::size_t lines = 8;
constexpr std::size_t groups = 8;
constexpr std::size_t group_sites = 8;

typedef double float64x16 __attribute__((vector_size(128)));

struct alignas(simd_bytes) Bits {
    uint64x8 lanes;
};
struct alignas(2 * simd_bytes) Sums {
    float64x16 lanes;
};

struct Tile {
    std::array<std::array<Bits, lines>, groups> distances;
    // By level and group; after `transpose`, byte 8 (c mod 8) + c / 8 belongs to customer c.
    std::array<std::array<Bits, groups>, permute_levels + 1> members;
    // By level and byte of a lane.
    std::array<std::array<Sums, 4>, permute_levels> logs;
};

// Where the sums of customer c are: byte of a lane, and lane.
constexpr std::size_t byte_of(std::size_t customer) { return customer / 8 % 4; }
constexpr std::size_t lane_of(std::size_t customer) { return customer % 8 * 2 + customer / 32; }

// Eight bytes from each row, from `site` on.
GRAPHOPT_ALWAYS_INLINE void load_tile(const std::array<const std::uint8_t*, plane_customers>& rows,
                                      std::size_t site, Tile& tile) {
    for (std::size_t c = 0; c < plane_customers; ++c) {
        __builtin_prefetch(rows[c] + site + plane_sites);  // too many streams for the processor
        for (std::size_t g = 0; g < groups; ++g) {
            auto* const line = reinterpret_cast<unsigned char*>(&tile.distances[g][c / 8]);
            std::memcpy(line + c % 8 * 8, rows[c] + site + g * group_sites, group_sites);
        }
    }
}

// Swaps blocks of `shift` bits between lines `apart` from each other.
template <unsigned shift>
GRAPHOPT_ALWAYS_INLINE void swap_blocks(Bits* line, std::size_t apart, unsigned long long low) {
    const uint64x8 mask = uint64x8{} + low;
    for (std::size_t i = 0; i < lines; ++i) {
        if ((i & apart) != 0) continue;
        const uint64x8 a = line[i].lanes, b = line[i + apart].lanes;
        line[i].lanes = (a & mask) | ((b << shift) & ~mask);
        line[i + apart].lanes = ((a >> shift) & mask) | (b & ~mask);
    }
}

// From a byte per (customer, site) to a line per bit of the distance, a byte per customer and a bit
// per site: an 8 x 8 transposition of bytes, then of bits, across lines.
GRAPHOPT_ALWAYS_INLINE void transpose(Bits* line) {
    swap_blocks<8>(line, 1, 0x00FF00FF00FF00FFULL);
    swap_blocks<16>(line, 2, 0x0000FFFF0000FFFFULL);
    swap_blocks<32>(line, 4, 0x00000000FFFFFFFFULL);
    swap_blocks<1>(line, 1, 0x5555555555555555ULL);
    swap_blocks<2>(line, 2, 0x3333333333333333ULL);
    swap_blocks<4>(line, 4, 0x0F0F0F0F0F0F0F0FULL);
}

// Writes which sites are at which level, for one group.
GRAPHOPT_ALWAYS_INLINE void find_members(Tile& tile, std::size_t group, std::size_t n_levels) {
    std::array<Bits, lines> plane;
    const uint8x64 last = uint8x64{} + static_cast<std::uint8_t>(permute_levels);
    for (std::size_t i = 0; i < lines; ++i) {
        uint8x64 bytes;
        std::memcpy(&bytes, &tile.distances[group][i], sizeof(bytes));
        bytes = bytes < last ? bytes : last;
        std::memcpy(&plane[i], &bytes, sizeof(bytes));
    }
    transpose(plane.data());
    const uint64x8 one = plane[0].lanes, two = plane[1].lanes;
    const std::array<Bits, 4> low{Bits{~one & ~two}, Bits{one & ~two}, Bits{~one & two},
                                  Bits{one & two}};
    for (std::size_t high = 0; high * 4 < n_levels; ++high) {
        uint64x8 same = (high & 1) != 0 ? plane[2].lanes : ~plane[2].lanes;
        same &= (high & 2) != 0 ? plane[3].lanes : ~plane[3].lanes;
        same &= (high & 4) != 0 ? plane[4].lanes : ~plane[4].lanes;
        for (std::size_t i = 0; i < 4; ++i) {
            tile.members[high * 4 + i][group].lanes = same & low[i].lanes;
        }
    }
}

// Adds the logarithms (base 2) of a tile's members to the sums of every level.
GRAPHOPT_ALWAYS_INLINE void add_logs(Tile& tile, const Line<float32x16>* fours,
                                     std::size_t n_levels) {
    std::array<Line<float32x16>, 2 * groups> four;
    std::copy_n(fours, four.size(), four.begin());
    for (std::size_t t = 0; t < n_levels; ++t) {
        std::array<Line<float32x16>, 8> sum{};  // short chains of additions: by byte and parity
#pragma GCC unroll 8
        for (std::size_t g = 0; g < groups; ++g) {
            uint32x16 members;  // a look-up regards the low 4 bits of a lane only
            std::memcpy(&members, &tile.members[t][g], sizeof(members));
#pragma GCC unroll 4
            for (unsigned q = 0; q < 4; ++q) {
                sum[q + g % 2 * 4].lanes +=
                    __builtin_shuffle(four[2 * g].lanes, members >> (8 * q)) +
                    __builtin_shuffle(four[2 * g + 1].lanes, members >> (8 * q + 4));
            }
        }
        for (std::size_t q = 0; q < 4; ++q) {
            const float32x16 both = sum[q].lanes + sum[q + 4].lanes;
            tile.logs[t][q].lanes += __builtin_convertvector(both, float64x16);
        }
    }
}

// Sums of logarithms become products.
GRAPHOPT_ALWAYS_INLINE void exponentiate(Tile& tile, std::size_t n_levels) {
    using S = Simd<double, simd_bytes>;
    for (std::size_t t = 0; t < n_levels; ++t) {
        auto* const values = reinterpret_cast<double*>(tile.logs[t].data());
        for (std::size_t i = 0; i < plane_customers; i += S::lanes) {
            store<S>(values + i, exp2_nonpositive<S>(load<S>(values + i)));
        }
    }
}

}  // namespace

GRAPHOPT_WIDE_PERMUTES_FN void multiply_by_level_planes(const std::uint8_t* rows,
                                                        std::size_t n_rows, std::size_t n_sites,
                                                        const SubsetLogs& logs,
                                                        std::size_t n_levels, double* products,
                                                        std::size_t stride) {
    Tile tile;
    std::fill_n(tile.logs.begin(), n_levels, std::array<Sums, 4>{});
    std::array<const std::uint8_t*, plane_customers> row;  // the last stands in for missing ones
    for (std::size_t c = 0; c < plane_customers; ++c)
        row[c] = rows + std::min(c, n_rows - 1) * n_sites;
    std::array<std::array<std::uint8_t, plane_sites>, plane_customers> rest;
    for (std::size_t i = 0; i < n_sites; i += plane_sites) {
        if (n_sites - i >= plane_sites) {
            load_tile(row, i, tile);
        } else {  // never beyond the end of the matrix
            for (std::size_t c = 0; c < plane_customers; ++c) {
                rest[c].fill(static_cast<std::uint8_t>(permute_levels));
                std::copy_n(row[c] + i, n_sites - i, rest[c].begin());
                row[c] = rest[c].data();
            }
            load_tile(row, 0, tile);
        }
        for (std::size_t g = 0; g < groups; ++g) find_members(tile, g, n_levels);
        add_logs(tile, logs.of_site(i), n_levels);
    }
    exponentiate(tile, n_levels);
    for (std::size_t c = 0; c < n_rows; ++c) {
        for (std::size_t t = 0; t < n_levels; ++t) {
            products[c * stride + t] = tile.logs[t][byte_of(c)].lanes[lane_of(c)];
        }
    }
}
#else
void multiply_by_level_planes(const std::uint8_t*, std::size_t, std::size_t, const SubsetLogs&,
                              std::size_t, double*, std::size_t) {
}  // never called: has_wide_permutes() is false
#endif

}  // namespace graphopt::facility
