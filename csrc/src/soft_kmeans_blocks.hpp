// The inner loops of soft k-means on a block of at most `block_rows` rows: three small matrix
// products and a softmax. A quantity q_jk of rows j and clusters k is held cluster by cluster,
// q[k * block_rows + j], so that the lanes of a vector are rows and the softmax needs no
// reduction across lanes.
#pragma once

#include <algorithm>
#include <cstddef>

#include "graphopt/vector_math.hpp"

namespace graphopt::blocks {

inline constexpr std::size_t block_rows = 64;

constexpr std::size_t round_up(std::size_t n, std::size_t multiple) {
    return (n + multiple - 1) / multiple * multiple;
}

// Arrays that are loaded by whole vectors are padded for the widest, so that their layout does not
// depend on the instruction set.
template <class T>
inline constexpr std::size_t max_lanes = simd_bytes / sizeof(T);

template <class T>
constexpr std::size_t load_width(std::size_t width) {
    return std::max(width, max_lanes<T>);
}

// Vectors of columns that a tile holds in registers, beside those of its rows.
template <class S>
inline constexpr std::size_t tile_vectors = S::bytes == 64 ? 4 : 2;

// Some rows of x. Whole vectors are loaded from a row, so narrower rows are copied and padded with
// zeros; `padding` holds block_rows vectors for that.
template <class S>
struct BlockRows {
    using T = ScalarOf<S>;
    const T* first;
    std::size_t stride;
    std::size_t count;

    GRAPHOPT_ALWAYS_INLINE BlockRows(const T* x, std::size_t rows, std::size_t width, T* padding)
        : first(x), stride(width), count(rows) {
        if (width >= S::lanes) return;
        for (std::size_t j = 0; j < rows; ++j) {
            for (std::size_t d = 0; d < S::lanes; ++d) {
                padding[j * S::lanes + d] = d < width ? x[j * width + d] : T{0};
            }
        }
        first = padding;
        stride = S::lanes;
    }
};

// A row as vectors. The last vector ends where the row ends, so it may repeat columns of the one
// before; only its `fresh` lanes are added to a sum.
template <class S>
struct Columns {
    using T = ScalarOf<S>;
    std::size_t width;

    GRAPHOPT_ALWAYS_INLINE std::size_t vectors() const { return (width + S::lanes - 1) / S::lanes; }
    GRAPHOPT_ALWAYS_INLINE std::size_t begin(std::size_t v) const {
        const std::size_t aligned = v * S::lanes;
        if (aligned + S::lanes <= width || v == 0) return aligned;
        return width - S::lanes;
    }
    GRAPHOPT_ALWAYS_INLINE void add(T* row, std::size_t v, VectorOf<S> value) const {
        const std::size_t aligned = v * S::lanes;
        if (aligned + S::lanes <= width) {
            store<S>(row + aligned, load<S>(row + aligned) + value);
            return;
        }
        T lanes[S::lanes];
        store<S>(lanes, value);
        const std::size_t from = begin(v);
        for (std::size_t d = aligned; d < width; ++d) row[d] += lanes[d - from];
    }
};

// out[k][j] = x_j . c_k for `Rows` rows and one vector of centres.
template <class S, int Rows, class T = ScalarOf<S>>
GRAPHOPT_ALWAYS_INLINE void products_tile(const T* x, std::size_t stride, std::size_t width,
                                          const T* centers, std::size_t padded_clusters,
                                          std::size_t clusters, T* out) {
    VectorOf<S> sums[Rows] = {};
    for (std::size_t d = 0; d < width; ++d) {
        const VectorOf<S> center = load<S>(centers + d * padded_clusters);
#pragma GCC unroll 8
        for (int j = 0; j < Rows; ++j) {
            sums[j] += x[static_cast<std::size_t>(j) * stride + d] * center;
        }
    }
    T lanes[Rows][S::lanes];
#pragma GCC unroll 8
    for (int j = 0; j < Rows; ++j) store<S>(lanes[j], sums[j]);
    for (std::size_t k = 0; k < clusters; ++k) {
        for (int j = 0; j < Rows; ++j)
            out[k * block_rows + static_cast<std::size_t>(j)] = lanes[j][k];
    }
}

// out[k][j] = x_j . c_k. `centers` is transposed, width x padded_clusters: a multiple of the lanes.
template <class S, class T = ScalarOf<S>>
GRAPHOPT_ALWAYS_INLINE void products(const T* x, std::size_t rows, std::size_t width,
                                     const T* centers, std::size_t n_clusters, T* out) {
    constexpr std::size_t lanes = S::lanes;
    const std::size_t padded = round_up(n_clusters, max_lanes<T>);
    for (std::size_t k = 0; k < n_clusters; k += lanes) {
        const std::size_t clusters = std::min(lanes, n_clusters - k);
        T* const to = out + k * block_rows;
        std::size_t j = 0;
        for (; j + 8 <= rows; j += 8) {
            products_tile<S, 8>(x + j * width, width, width, centers + k, padded, clusters, to + j);
        }
        for (; j < rows; ++j) {
            products_tile<S, 1>(x + j * width, width, width, centers + k, padded, clusters, to + j);
        }
    }
}

// Similarities to assignments, in place; lanes beyond the last row become 0.
template <class S, class T = ScalarOf<S>>
GRAPHOPT_ALWAYS_INLINE void softmax(T* r, std::size_t rows, std::size_t n_clusters, T temperature) {
    constexpr std::size_t lanes = S::lanes;
    for (std::size_t j = 0; j < rows; j += lanes) {
        VectorOf<S> largest = load<S>(r + j);
        for (std::size_t k = 1; k < n_clusters; ++k) {
            const VectorOf<S> s = load<S>(r + k * block_rows + j);
            largest = s > largest ? s : largest;
        }
        VectorOf<S> total{};
        for (std::size_t k = 0; k < n_clusters; ++k) {
            T* const at = r + k * block_rows + j;
            const VectorOf<S> power = exp_nonpositive<S>((load<S>(at) - largest) * temperature);
            total += power;
            store<S>(at, power);
        }
        const VectorOf<S> scale = T{1} / total;
        for (std::size_t k = 0; k < n_clusters; ++k) {
            T* const at = r + k * block_rows + j;
            store<S>(at, load<S>(at) * scale);
        }
    }
    const std::size_t end = round_up(rows, lanes);
    for (std::size_t k = 0; k < n_clusters; ++k) {
        for (std::size_t j = rows; j < end; ++j) r[k * block_rows + j] = T{0};
    }
}

// sums[k] += sum_j weights[k][j], over lanes that hold 0 beyond the last row.
template <class S, class T = ScalarOf<S>>
GRAPHOPT_ALWAYS_INLINE void add_row_sums(const T* weights, std::size_t rows, std::size_t n_clusters,
                                         T* sums) {
    for (std::size_t k = 0; k < n_clusters; ++k) {
        VectorOf<S> total{};
        for (std::size_t j = 0; j < rows; j += S::lanes) {
            total += load<S>(weights + k * block_rows + j);
        }
        sums[k] += lane_sum<S>(total);
    }
}

template <class S, int Clusters, int Vectors, class T = ScalarOf<S>>
GRAPHOPT_ALWAYS_INLINE void weighted_sums_tile(const BlockRows<S>& x, const Columns<S>& columns,
                                               std::size_t vector, const T* weights, T* sums) {
    std::size_t begin[Vectors];
    for (int v = 0; v < Vectors; ++v)
        begin[v] = columns.begin(vector + static_cast<std::size_t>(v));
    VectorOf<S> total[Clusters][Vectors] = {};
    for (std::size_t j = 0; j < x.count; ++j) {
        const T* const row = x.first + j * x.stride;
        VectorOf<S> values[Vectors];
#pragma GCC unroll 8
        for (int v = 0; v < Vectors; ++v) values[v] = load<S>(row + begin[v]);
#pragma GCC unroll 8
        for (int k = 0; k < Clusters; ++k) {
            const T weight = weights[static_cast<std::size_t>(k) * block_rows + j];
#pragma GCC unroll 8
            for (int v = 0; v < Vectors; ++v) total[k][v] += weight * values[v];
        }
    }
    for (int k = 0; k < Clusters; ++k) {
        for (int v = 0; v < Vectors; ++v) {
            columns.add(sums + static_cast<std::size_t>(k) * columns.width,
                        vector + static_cast<std::size_t>(v), total[k][v]);
        }
    }
}

template <class S, int Clusters, class T = ScalarOf<S>>
GRAPHOPT_ALWAYS_INLINE void weighted_sums_strip(const BlockRows<S>& x, const Columns<S>& columns,
                                                const T* weights, T* sums) {
    const std::size_t vectors = columns.vectors();
    std::size_t v = 0;
    if constexpr (tile_vectors<S> >= 4) {
        for (; v + 4 <= vectors; v += 4) {
            weighted_sums_tile<S, Clusters, 4>(x, columns, v, weights, sums);
        }
    }
    for (; v + 2 <= vectors; v += 2)
        weighted_sums_tile<S, Clusters, 2>(x, columns, v, weights, sums);
    for (; v < vectors; ++v) weighted_sums_tile<S, Clusters, 1>(x, columns, v, weights, sums);
}

// sums[k] += sum_j weights[k][j] x_j; sums is n_clusters x width.
template <class S, class T = ScalarOf<S>>
GRAPHOPT_ALWAYS_INLINE void weighted_sums(const BlockRows<S>& x, std::size_t width,
                                          const T* weights, std::size_t n_clusters, T* sums) {
    const Columns<S> columns{width};
    std::size_t k = 0;
    for (; k + 5 <= n_clusters; k += 5) {
        weighted_sums_strip<S, 5>(x, columns, weights + k * block_rows, sums + k * width);
    }
    for (; k + 2 <= n_clusters; k += 2) {
        weighted_sums_strip<S, 2>(x, columns, weights + k * block_rows, sums + k * width);
    }
    for (; k < n_clusters; ++k) {
        weighted_sums_strip<S, 1>(x, columns, weights + k * block_rows, sums + k * width);
    }
}

template <class S, int Rows, int Vectors, class T = ScalarOf<S>>
GRAPHOPT_ALWAYS_INLINE void combinations_tile(const T* weights, std::size_t n_terms, const T* terms,
                                              const Columns<S>& columns, std::size_t vector,
                                              T* out) {
    const std::size_t stride = load_width<T>(columns.width);
    std::size_t begin[Vectors];
    for (int v = 0; v < Vectors; ++v)
        begin[v] = columns.begin(vector + static_cast<std::size_t>(v));
    VectorOf<S> total[Rows][Vectors] = {};
    for (std::size_t i = 0; i < n_terms; ++i) {
        VectorOf<S> values[Vectors];
#pragma GCC unroll 8
        for (int v = 0; v < Vectors; ++v) values[v] = load<S>(terms + i * stride + begin[v]);
#pragma GCC unroll 8
        for (int j = 0; j < Rows; ++j) {
            const T weight = weights[i * block_rows + static_cast<std::size_t>(j)];
#pragma GCC unroll 8
            for (int v = 0; v < Vectors; ++v) total[j][v] += weight * values[v];
        }
    }
    for (int j = 0; j < Rows; ++j) {
        for (int v = 0; v < Vectors; ++v) {
            columns.add(out + static_cast<std::size_t>(j) * columns.width,
                        vector + static_cast<std::size_t>(v), total[j][v]);
        }
    }
}

template <class S, int Rows, class T = ScalarOf<S>>
GRAPHOPT_ALWAYS_INLINE void combinations_strip(const T* weights, std::size_t n_terms,
                                               const T* terms, const Columns<S>& columns, T* out) {
    const std::size_t vectors = columns.vectors();
    std::size_t v = 0;
    if constexpr (tile_vectors<S> >= 4) {
        for (; v + 4 <= vectors; v += 4) {
            combinations_tile<S, Rows, 4>(weights, n_terms, terms, columns, v, out);
        }
    }
    for (; v + 2 <= vectors; v += 2) {
        combinations_tile<S, Rows, 2>(weights, n_terms, terms, columns, v, out);
    }
    for (; v < vectors; ++v) {
        combinations_tile<S, Rows, 1>(weights, n_terms, terms, columns, v, out);
    }
}

// out_j += sum_i weights[i][j] terms_i. `terms` is n_terms x load_width(width), `out` rows x width.
template <class S, class T = ScalarOf<S>>
GRAPHOPT_ALWAYS_INLINE void combinations(const T* weights, std::size_t n_terms, const T* terms,
                                         std::size_t rows, std::size_t width, T* out) {
    const Columns<S> columns{width};
    std::size_t j = 0;
    for (; j + 4 <= rows; j += 4) {
        combinations_strip<S, 4>(weights + j, n_terms, terms, columns, out + j * width);
    }
    for (; j < rows; ++j) {
        combinations_strip<S, 1>(weights + j, n_terms, terms, columns, out + j * width);
    }
}

// Between rows x clusters in memory and the block's layout.
template <class S, class T = ScalarOf<S>>
GRAPHOPT_ALWAYS_INLINE void gather(const T* by_row, std::size_t rows, std::size_t n_clusters,
                                   T* by_cluster) {
    for (std::size_t k = 0; k < n_clusters; ++k) {
        for (std::size_t j = 0; j < rows; ++j) {
            by_cluster[k * block_rows + j] = by_row[j * n_clusters + k];
        }
    }
}

template <class S, class T = ScalarOf<S>>
GRAPHOPT_ALWAYS_INLINE void scatter(const T* by_cluster, std::size_t rows, std::size_t n_clusters,
                                    T* by_row) {
    for (std::size_t j = 0; j < rows; ++j) {
        for (std::size_t k = 0; k < n_clusters; ++k) {
            by_row[j * n_clusters + k] = by_cluster[k * block_rows + j];
        }
    }
}

}  // namespace graphopt::blocks
