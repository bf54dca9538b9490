#include "min_plus.hpp"

#include <algorithm>
#include <cstring>

#include "graphopt/paths/shortest_paths.hpp"
#include "graphopt/support/parallel.hpp"

namespace graphopt {
namespace {

constexpr std::size_t per_line = simd_bytes / sizeof(double);
static_assert(min_plus_rows == per_line && min_plus_columns % per_line == 0);

struct Product {
    const double* rows;     // depth x min_plus_rows
    const double* columns;  // depth x min_plus_columns
    std::size_t depth;
    Tile c;  // min_plus_rows x min_plus_columns
};

template <std::size_t Bytes>
struct Vector {
    typedef double type __attribute__((vector_size(Bytes)));
};

// A part of the tile stays in registers while the sum runs: as much as leaves room for operands.
template <std::size_t Bytes>
GRAPHOPT_ALWAYS_INLINE void tile_product(const Product& product) {
    using V = typename Vector<Bytes>::type;
    constexpr std::size_t lanes = Bytes / sizeof(double);
    constexpr std::size_t height = Bytes == 64 ? 8 : 4;
    constexpr std::size_t width = Bytes == 64 ? 3 : 2;
    for (std::size_t top = 0; top < min_plus_rows; top += height) {
        for (std::size_t left = 0; left < min_plus_columns; left += width * lanes) {
            double* const c = product.c.data + top * product.c.stride + left;
            V best[height][width];
            for (std::size_t i = 0; i < height; ++i) {
                for (std::size_t j = 0; j < width; ++j) {
                    std::memcpy(&best[i][j], c + i * product.c.stride + j * lanes, Bytes);
                }
            }
            for (std::size_t k = 0; k < product.depth; ++k) {
                const double* const row = product.rows + k * min_plus_rows + top;
                V column[width];
                std::memcpy(column, product.columns + k * min_plus_columns + left, sizeof(column));
                for (std::size_t i = 0; i < height; ++i) {
                    const V length = row[i] - V{};
                    for (std::size_t j = 0; j < width; ++j) {
                        const V through = length + column[j];
                        best[i][j] = through < best[i][j] ? through : best[i][j];
                    }
                }
            }
            for (std::size_t i = 0; i < height; ++i) {
                for (std::size_t j = 0; j < width; ++j) {
                    std::memcpy(c + i * product.c.stride + j * lanes, &best[i][j], Bytes);
                }
            }
        }
    }
}

GRAPHOPT_PER_ISA(void multiply_tile(const Product& product), tile_product<vector_bytes>(product))

// A tile at the edge of the matrix, by way of a whole one.
void multiply_part(Product product, std::size_t n_rows, std::size_t n_columns) {
    alignas(simd_bytes) double whole[min_plus_rows * min_plus_columns] = {};
    const Tile c = product.c;
    product.c = {whole, min_plus_columns};
    for (std::size_t i = 0; i < n_rows; ++i) {
        std::copy_n(c.data + i * c.stride, n_columns, whole + i * min_plus_columns);
    }
    multiply_tile(product);
    for (std::size_t i = 0; i < n_rows; ++i) {
        std::copy_n(whole + i * min_plus_columns, n_columns, c.data + i * c.stride);
    }
}

std::size_t round_up(std::size_t size, std::size_t unit) { return chunk_count(size, unit) * unit; }

}  // namespace

PackedColumns::PackedColumns(std::size_t max_depth, std::size_t n_columns)
    : strip_size_(max_depth * min_plus_columns / per_line),
      n_columns_(n_columns),
      lines_(n_strips() * strip_size_) {}

std::size_t PackedColumns::n_strips() const noexcept {
    return chunk_count(n_columns_, min_plus_columns);
}

void PackedColumns::pack(ConstTile matrix, std::size_t depth, std::size_t strip) {
    const std::size_t begin = strip * min_plus_columns;
    const std::size_t count = std::min(min_plus_columns, n_columns_ - begin);
    auto* target = reinterpret_cast<double*>(lines_.data() + strip * strip_size_);
    for (std::size_t k = 0; k < depth; ++k, target += min_plus_columns) {
        std::copy_n(matrix.data + k * matrix.stride + begin, count, target);
        std::fill(target + count, target + min_plus_columns, unreachable<double>);
    }
}

const double* PackedColumns::strip(std::size_t strip) const {
    return reinterpret_cast<const double*>(lines_.data() + strip * strip_size_);
}

PackedRows::PackedRows(std::size_t max_rows, std::size_t max_depth)
    : lines_(round_up(max_rows, min_plus_rows) * max_depth / per_line) {}

void PackedRows::pack(ConstTile matrix, std::size_t n_rows, std::size_t depth) {
    n_rows_ = n_rows;
    depth_ = depth;
    auto* const target = reinterpret_cast<double*>(lines_.data());
    for (std::size_t i = 0; i < round_up(n_rows, min_plus_rows); ++i) {
        double* const row = target + i / min_plus_rows * min_plus_rows * depth + i % min_plus_rows;
        for (std::size_t k = 0; k < depth; ++k) {
            row[k * min_plus_rows] =
                i < n_rows ? matrix.data[i * matrix.stride + k] : unreachable<double>;
        }
    }
}

void PackedRows::pack_transposed(ConstTile matrix, std::size_t n_rows, std::size_t depth) {
    n_rows_ = n_rows;
    depth_ = depth;
    auto* target = reinterpret_cast<double*>(lines_.data());
    for (std::size_t i = 0; i < n_rows; i += min_plus_rows) {
        const std::size_t count = std::min(min_plus_rows, n_rows - i);
        for (std::size_t k = 0; k < depth; ++k, target += min_plus_rows) {
            std::copy_n(matrix.data + k * matrix.stride + i, count, target);
            std::fill(target + count, target + min_plus_rows, unreachable<double>);
        }
    }
}

const double* PackedRows::band(std::size_t first_row) const {
    return reinterpret_cast<const double*>(lines_.data()) + first_row * depth_;
}

void min_plus(const PackedRows& rows, const PackedColumns& columns, std::size_t strip, Tile c) {
    const std::size_t left = strip * min_plus_columns;
    const std::size_t n_columns = std::min(min_plus_columns, columns.n_columns() - left);
    for (std::size_t top = 0; top < rows.n_rows(); top += min_plus_rows) {
        const std::size_t n_rows = std::min(min_plus_rows, rows.n_rows() - top);
        double* const corner = c.data + top * c.stride + left;
        const Product product{
            rows.band(top), columns.strip(strip), rows.depth(), {corner, c.stride}};
        if (n_rows < min_plus_rows || n_columns < min_plus_columns) {
            multiply_part(product, n_rows, n_columns);
            continue;
        }
        if (top + 2 * min_plus_rows <= rows.n_rows()) {
            for (std::size_t i = 0; i < min_plus_rows; ++i) {
                const double* const next = corner + (min_plus_rows + i) * c.stride;
                for (std::size_t j = 0; j < min_plus_columns; j += per_line) {
                    __builtin_prefetch(next + j, 1);
                }
                __builtin_prefetch(next + min_plus_columns - 1, 1);
            }
        }
        multiply_tile(product);
    }
}

}  // namespace graphopt
