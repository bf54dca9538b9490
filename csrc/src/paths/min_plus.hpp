// Products of matrices in which a sum is a minimum and a product a sum.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "graphopt/support/simd.hpp"

namespace graphopt {

// Matrices are row by row, `stride` elements from one row to the next.
struct ConstTile {
    const double* data;
    std::size_t stride;
};
struct Tile {
    double* data;
    std::size_t stride;
};

inline constexpr std::size_t min_plus_rows = 8;      // at a time
inline constexpr std::size_t min_plus_columns = 24;  // at a time

// The right side of products: strips of columns, each contiguous row by row, padded by infinity.
// Different strips may be filled by different threads.
class PackedColumns {
  public:
    PackedColumns(std::size_t max_depth, std::size_t n_columns);

    std::size_t n_columns() const noexcept { return n_columns_; }
    std::size_t n_strips() const noexcept;

    // Takes strip `strip` of the matrix, of `depth` rows.
    void pack(ConstTile matrix, std::size_t depth, std::size_t strip);
    const double* strip(std::size_t strip) const;

  private:
    std::size_t strip_size_;  // in lines
    std::size_t n_columns_;
    std::vector<Line<float64x8>> lines_;
};

// The left side: bands of rows, each contiguous column by column, padded by infinity.
class PackedRows {
  public:
    PackedRows(std::size_t max_rows, std::size_t max_depth);

    // Takes a matrix of n_rows x depth, or its transpose, of depth x n_rows.
    void pack(ConstTile matrix, std::size_t n_rows, std::size_t depth);
    void pack_transposed(ConstTile matrix, std::size_t n_rows, std::size_t depth);

    std::size_t n_rows() const noexcept { return n_rows_; }
    std::size_t depth() const noexcept { return depth_; }
    const double* band(std::size_t first_row) const;  // a multiple of min_plus_rows

  private:
    std::size_t n_rows_ = 0;
    std::size_t depth_ = 0;
    std::vector<Line<float64x8>> lines_;
};

// c[i][j] = min(c[i][j], min over k of rows[i][k] + columns[k][j]), for all rows of `rows` and the
// columns of one strip. `c` points to the first row and the first column of all, not of the strip.
void min_plus(const PackedRows& rows, const PackedColumns& columns, std::size_t strip, Tile c);

}  // namespace graphopt
