// Tall matrices in panels, and the small matrix products between them. A panel holds
// `panel_rows` consecutive rows column by column, so that the lanes of a vector are rows: no column
// count wastes a lane, a softmax along a row needs no reduction across lanes, and what one product
// leaves is laid out as the next one wants it. Rows beyond the last are zeros.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>

#include "graphopt/support/vector_math.hpp"

namespace graphopt::panels {

constexpr std::size_t round_up(std::size_t n, std::size_t multiple) {
    return (n + multiple - 1) / multiple * multiple;
}

// Two of the widest vectors, so that the layout does not depend on the instruction set.
template <class T>
inline constexpr std::size_t panel_rows = 2 * simd_bytes / sizeof(T);

template <class T>
constexpr std::size_t panel_count(std::size_t rows) {
    return (rows + panel_rows<T> - 1) / panel_rows<T>;
}

// Columns of a result that a product keeps in registers, for the two vectors it works on.
template <class S>
inline constexpr std::size_t most_columns = S::bytes == 64 ? 10 : 5;

// --- moves between lanes
// --------------------------------------------------------------------------

// Lane i of the three: the blocks of `Step` lanes of a and b taken alternately, b's or a's second.
template <class S, std::size_t Step, std::size_t... I>
GRAPHOPT_ALWAYS_INLINE VectorOf<S> even_blocks(VectorOf<S> a, VectorOf<S> b,
                                               std::index_sequence<I...>) {
    return __builtin_shufflevector(a, b, (I & Step ? S::lanes + I - Step : I)...);
}
template <class S, std::size_t Step, std::size_t... I>
GRAPHOPT_ALWAYS_INLINE VectorOf<S> odd_blocks(VectorOf<S> a, VectorOf<S> b,
                                              std::index_sequence<I...>) {
    return __builtin_shufflevector(a, b, (I & Step ? S::lanes + I : I + Step)...);
}
template <class S, std::size_t Step, std::size_t... I>
GRAPHOPT_ALWAYS_INLINE VectorOf<S> own_blocks(VectorOf<S> a, VectorOf<S> b,
                                              std::index_sequence<I...>) {
    return __builtin_shufflevector(a, b, (I & Step ? S::lanes + I : I)...);
}
template <class S, std::size_t Step, std::size_t... I>
GRAPHOPT_ALWAYS_INLINE VectorOf<S> other_blocks(VectorOf<S> a, VectorOf<S> b,
                                                std::index_sequence<I...>) {
    return __builtin_shufflevector(a, b, (I & Step ? S::lanes + I - Step : I + Step)...);
}

// A square of lanes x lanes values, rows to columns.
template <class S, std::size_t Step = S::lanes / 2>
GRAPHOPT_ALWAYS_INLINE void transpose(VectorOf<S>* square) {
    constexpr auto lanes = std::make_index_sequence<S::lanes>();
#pragma GCC unroll 16
    for (std::size_t i = 0; i < S::lanes; ++i) {
        if ((i & Step) != 0) continue;
        const VectorOf<S> a = square[i];
        const VectorOf<S> b = square[i + Step];
        square[i] = even_blocks<S, Step>(a, b, lanes);
        square[i + Step] = odd_blocks<S, Step>(a, b, lanes);
    }
    if constexpr (Step > 1) transpose<S, Step / 2>(square);
}

// Lane i of the result is the sum of the lanes of vectors[i] where i < Count <= lanes, else 0;
// `vectors` is overwritten.
template <class S, std::size_t Count, std::size_t Step = S::lanes / 2>
GRAPHOPT_ALWAYS_INLINE VectorOf<S> lane_sums(VectorOf<S>* vectors) {
    constexpr auto lanes = std::make_index_sequence<S::lanes>();
    constexpr std::size_t left = Count < Step ? Count : Step;
#pragma GCC unroll 16
    for (std::size_t i = 0; i < left; ++i) {
        const VectorOf<S> a = vectors[i];
        const VectorOf<S> b = i + Step < Count ? vectors[i + Step] : VectorOf<S>{};
        vectors[i] = own_blocks<S, Step>(a, b, lanes) + other_blocks<S, Step>(a, b, lanes);
    }
    if constexpr (Step > 1) return lane_sums<S, left, Step / 2>(vectors);
    return vectors[0];
}

// --- between row-major memory and panels
// ----------------------------------------------------------

// One panel of `rows` <= panel_rows rows of `width` values.
template <class S, class T = ScalarOf<S>>
GRAPHOPT_ALWAYS_INLINE void pack(const T* from, std::size_t rows, std::size_t width, T* panel) {
    if (rows < panel_rows<T> || width < S::lanes) {
        for (std::size_t d = 0; d < width; ++d) {
            T* const column = panel + d * panel_rows<T>;
            for (std::size_t j = 0; j < rows; ++j) column[j] = from[j * width + d];
            for (std::size_t j = rows; j < panel_rows<T>; ++j) column[j] = T{0};
        }
        return;
    }
    for (std::size_t j = 0; j < panel_rows<T>; j += S::lanes) {
        for (std::size_t next = 0; next < width; next += S::lanes) {
            // The last square ends with the row, so it may repeat columns of the one before.
            const std::size_t d = std::min(next, width - S::lanes);
            VectorOf<S> square[S::lanes];
#pragma GCC unroll 16
            for (std::size_t i = 0; i < S::lanes; ++i)
                square[i] = load<S>(from + (j + i) * width + d);
            transpose<S>(square);
#pragma GCC unroll 16
            for (std::size_t i = 0; i < S::lanes; ++i) {
                store<S>(panel + (d + i) * panel_rows<T> + j, square[i]);
            }
        }
    }
}

// Unpacks a panel narrower than a vector: every row is written with what is behind it in its
// vector, which the next row then overwrites; the last rows, behind which there may be nothing,
// apart.
template <class S, class T = ScalarOf<S>>
GRAPHOPT_ALWAYS_INLINE void unpack_narrow(const T* panel, std::size_t rows, std::size_t width,
                                          T* to) {
    const std::size_t size = rows * width;
    for (std::size_t j = 0; j < rows; j += S::lanes) {
        VectorOf<S> square[S::lanes] = {};
#pragma GCC unroll 16
        for (std::size_t i = 0; i < S::lanes; ++i) {
            if (i < width) square[i] = load<S>(panel + i * panel_rows<T> + j);
        }
        transpose<S>(square);
#pragma GCC unroll 16
        for (std::size_t i = 0; i < S::lanes; ++i) {
            const std::size_t at = (j + i) * width;
            if (at + S::lanes <= size) {
                store<S>(to + at, square[i]);
            } else if (at < size) {
                T row[S::lanes];
                store<S>(row, square[i]);
                std::copy_n(row, width, to + at);
            }
        }
    }
}

// The reverse of `pack`.
template <class S, class T = ScalarOf<S>>
GRAPHOPT_ALWAYS_INLINE void unpack(const T* panel, std::size_t rows, std::size_t width, T* to) {
    if (width < S::lanes) return unpack_narrow<S>(panel, rows, width, to);
    if (rows < panel_rows<T>) {
        for (std::size_t j = 0; j < rows; ++j) {
            for (std::size_t d = 0; d < width; ++d)
                to[j * width + d] = panel[d * panel_rows<T> + j];
        }
        return;
    }
    for (std::size_t j = 0; j < panel_rows<T>; j += S::lanes) {
        for (std::size_t next = 0; next < width; next += S::lanes) {
            const std::size_t d = std::min(next, width - S::lanes);
            VectorOf<S> square[S::lanes];
#pragma GCC unroll 16
            for (std::size_t i = 0; i < S::lanes; ++i) {
                square[i] = load<S>(panel + (d + i) * panel_rows<T> + j);
            }
            transpose<S>(square);
#pragma GCC unroll 16
            for (std::size_t i = 0; i < S::lanes; ++i)
                store<S>(to + (j + i) * width + d, square[i]);
        }
    }
}

// --- products
// -------------------------------------------------------------------------------------

// Calls tile(first, std::integral_constant<size>) over [0, n) in tiles of nearly equal size, at
// most `Most`. `Tile` is a type with an always inlined `template <std::size_t Size> run(first)`.
template <std::size_t Most, class Tile>
GRAPHOPT_ALWAYS_INLINE void run_tile(const Tile& tile, std::size_t first, std::size_t size) {
    if (size == Most) {
        tile.template run<Most>(first);
    } else if constexpr (Most > 1) {
        run_tile<Most - 1>(tile, first, size);
    }
}

template <std::size_t Most, class Tile>
GRAPHOPT_ALWAYS_INLINE void for_tiles(std::size_t n, const Tile& tile) {
    const std::size_t tiles = (n + Most - 1) / Most;
    for (std::size_t i = 0; i < tiles; ++i) {
        const std::size_t first = i * n / tiles;
        run_tile<Most>(tile, first, (i + 1) * n / tiles - first);
    }
}

// One panel times a small matrix, `depth` x `columns`, row-major: out is a panel of `columns`.
template <class S, class T = ScalarOf<S>>
struct Product {
    const T* panel;
    std::size_t depth;
    const T* matrix;
    std::size_t columns;
    T* out;

    template <std::size_t Size>
    GRAPHOPT_ALWAYS_INLINE void run(std::size_t first) const {
        constexpr std::size_t rows = panel_rows<T>;
        for (std::size_t j = 0; j < rows; j += 2 * S::lanes) {
            VectorOf<S> sums[Size][2] = {};
            for (std::size_t d = 0; d < depth; ++d) {
                const VectorOf<S> low = load<S>(panel + d * rows + j);
                const VectorOf<S> high = load<S>(panel + d * rows + j + S::lanes);
                const T* const factors = matrix + d * columns + first;
#pragma GCC unroll 16
                for (std::size_t k = 0; k < Size; ++k) {
                    sums[k][0] += low * factors[k];
                    sums[k][1] += high * factors[k];
                }
            }
#pragma GCC unroll 16
            for (std::size_t k = 0; k < Size; ++k) {
                store<S>(out + (first + k) * rows + j, sums[k][0]);
                store<S>(out + (first + k) * rows + j + S::lanes, sums[k][1]);
            }
        }
    }
};

template <class S, class T = ScalarOf<S>>
GRAPHOPT_ALWAYS_INLINE void product(const T* panel, std::size_t depth, const T* matrix,
                                    std::size_t columns, T* out) {
    for_tiles<most_columns<S>>(columns, Product<S>{panel, depth, matrix, columns, out});
}

// Values that a sum of this size needs room for: it is added to by whole vectors.
template <class T>
constexpr std::size_t sums_room(std::size_t columns, std::size_t n_weights) {
    constexpr std::size_t lanes = simd_bytes / sizeof(T);
    return round_up(columns * n_weights + lanes, lanes);
}

// sums (columns x n_weights) += x^T weights over some panels. A panel may hold more columns than
// those wanted: the strides of x and weights are the sizes of panels, that of sums a row's. Beyond
// the sums, what lies within `sums_room` is added zeros. The panels that are wanted after these,
// from `next` on or, where that is null, behind these, are fetched into the second cache.
template <class S, class T = ScalarOf<S>>
struct WeightedSums {
    const T* x;
    std::size_t x_stride;
    std::size_t columns;
    const T* weights;
    std::size_t weights_stride;
    std::size_t n_weights;
    std::size_t panels;
    T* sums;
    std::size_t sums_stride;
    const T* next = nullptr;

    template <std::size_t Size>
    GRAPHOPT_ALWAYS_INLINE void run(std::size_t first) const {
        std::size_t d = 0;
        for (; d + 2 <= columns; d += 2) tile<Size, 2>(first, d);
        if (d < columns) tile<Size, 1>(first, d);
    }

    template <std::size_t Size, std::size_t Columns>
    GRAPHOPT_ALWAYS_INLINE void tile(std::size_t first, std::size_t d) const {
        constexpr std::size_t rows = panel_rows<T>;
        VectorOf<S> totals[Columns][Size] = {};
        for (std::size_t panel = 0; panel < panels; ++panel) {
            const T* const values = x + panel * x_stride + d * rows;
            const T* const ahead =
                (next == nullptr ? x + panels * x_stride : next) + panel * x_stride + d * rows;
            const T* const factors = weights + panel * weights_stride + first * rows;
#pragma GCC unroll 2
            for (std::size_t j = 0; j < rows; j += S::lanes) {
                VectorOf<S> value[Columns];
#pragma GCC unroll 2
                for (std::size_t c = 0; c < Columns; ++c) {
                    value[c] = load<S>(values + c * rows + j);
                    __builtin_prefetch(ahead + c * rows + j, 0, 2);
                }
#pragma GCC unroll 16
                for (std::size_t k = 0; k < Size; ++k) {
                    const VectorOf<S> factor = loaded_once<S>(factors + k * rows + j);
#pragma GCC unroll 2
                    for (std::size_t c = 0; c < Columns; ++c) totals[c][k] += factor * value[c];
                }
            }
        }
#pragma GCC unroll 2
        for (std::size_t c = 0; c < Columns; ++c) {
            add<Size>(totals[c], sums + (d + c) * sums_stride + first);
        }
    }

    template <std::size_t Size>
    GRAPHOPT_ALWAYS_INLINE void add(VectorOf<S>* totals, T* to) const {
        constexpr std::size_t head = Size < S::lanes ? Size : S::lanes;
        store<S>(to, load<S>(to) + lane_sums<S, head>(totals));
        if constexpr (Size > head) add<Size - head>(totals + head, to + head);
    }
};

template <class S, class T = ScalarOf<S>>
GRAPHOPT_ALWAYS_INLINE void add_weighted_sums(const WeightedSums<S>& sums) {
    for_tiles<most_columns<S>>(sums.n_weights, sums);
}

// --- softmax
// --------------------------------------------------------------------------------------

// Similarities to assignments, in place; zero rows become even ones. Two vectors at a time, as each
// alone would wait for its own results.
template <class S, class T = ScalarOf<S>>
GRAPHOPT_ALWAYS_INLINE void softmax(T* r, std::size_t n_clusters, T temperature) {
    constexpr std::size_t rows = panel_rows<T>;
    const T scale = temperature * static_cast<T>(1.44269504088896340736);  // e^x = 2^(x log2 e)
    for (std::size_t j = 0; j < rows; j += 2 * S::lanes) {
        VectorOf<S> largest[2] = {load<S>(r + j), load<S>(r + j + S::lanes)};
        for (std::size_t k = 1; k < n_clusters; ++k) {
#pragma GCC unroll 2
            for (std::size_t i = 0; i < 2; ++i) {
                const VectorOf<S> s = load<S>(r + k * rows + j + i * S::lanes);
                largest[i] = s > largest[i] ? s : largest[i];
            }
        }
        VectorOf<S> total[2] = {};
        for (std::size_t k = 0; k < n_clusters; ++k) {
#pragma GCC unroll 2
            for (std::size_t i = 0; i < 2; ++i) {
                T* const at = r + k * rows + j + i * S::lanes;
                const VectorOf<S> power = exp2_nonpositive<S>((load<S>(at) - largest[i]) * scale);
                total[i] += power;
                store<S>(at, power);
            }
        }
        const VectorOf<S> shares[2] = {T{1} / total[0], T{1} / total[1]};
        for (std::size_t k = 0; k < n_clusters; ++k) {
#pragma GCC unroll 2
            for (std::size_t i = 0; i < 2; ++i) {
                T* const at = r + k * rows + j + i * S::lanes;
                store<S>(at, load<S>(at) * shares[i]);
            }
        }
    }
}

}  // namespace graphopt::panels
