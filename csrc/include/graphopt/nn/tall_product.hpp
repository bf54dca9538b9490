// Products of a tall matrix, such as dense node features, with a matrix of few columns. BLAS
// libraries split such products by the number of threads, and their bits change with it.
#pragma once

#include <cstddef>
#include <span>

namespace graphopt {

struct TallShape {
    std::size_t n_rows;
    std::size_t n_columns;  // of the tall matrix
    std::size_t width;      // columns of the other one
};

// product (n_rows x width) = tall (n_rows x n_columns) * other (n_columns x width), row-major.
void tall_product(TallShape shape, std::span<const float> tall, std::span<const float> other,
                  std::span<float> product, int num_threads);
void tall_product(TallShape shape, std::span<const double> tall, std::span<const double> other,
                  std::span<double> product, int num_threads);

// product (n_columns x width) = transpose of tall * other (n_rows x width): what the gradient by
// the other factor is.
void transposed_tall_product(TallShape shape, std::span<const float> tall,
                             std::span<const float> other, std::span<float> product,
                             int num_threads);
void transposed_tall_product(TallShape shape, std::span<const double> tall,
                             std::span<const double> other, std::span<double> product,
                             int num_threads);

}  // namespace graphopt
