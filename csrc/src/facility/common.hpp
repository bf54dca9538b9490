// What both forms of the facility objective share.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "graphopt/support/parallel.hpp"

namespace graphopt::facility {

// The probability that a site is closed; sure sites, whose factor is 0, are kept apart so that
// products without one of them can be formed.
struct Closed {
    std::vector<double> keep;       // 1 - x, and 1 for a sure site
    std::vector<std::size_t> sure;  // sites with x = 1, ascending

    template <class Real>
    explicit Closed(std::span<const Real> opening) : keep(opening.size()) {
        for (std::size_t i = 0; i < opening.size(); ++i) {
            const bool is_sure = opening[i] == Real{1};
            keep[i] = is_sure ? 1.0 : 1.0 - static_cast<double>(opening[i]);
            if (is_sure) sure.push_back(i);
        }
    }
};

// Customers per chunk: whole blocks of 64, and at most 64 partial gradients.
inline std::size_t customers_per_chunk(std::size_t n_customers) {
    return std::max<std::size_t>(1, chunk_count(n_customers, 64 * 64)) * 64;
}

// One partial gradient per chunk of customers: `width` sums, negated and not yet divided by keep.
template <class Real>
class Partials {
  public:
    Partials(std::size_t n_customers, std::size_t width)
        : width_(width),
          sums_(width * chunk_count(n_customers, customers_per_chunk(n_customers))) {}

    std::span<Real> of_chunk(std::size_t chunk) {
        return std::span<Real>(sums_).subspan(chunk * width_, width_);
    }

    // The total of one column, in chunk order.
    double total(std::size_t column) const {
        double sum = 0.0;
        for (std::size_t at = column; at < sums_.size(); at += width_) {
            sum += static_cast<double>(sums_[at]);
        }
        return sum;
    }

  private:
    std::size_t width_;
    std::vector<Real> sums_;
};

}  // namespace graphopt::facility
