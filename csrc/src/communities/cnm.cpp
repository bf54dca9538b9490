#include "graphopt/communities/cnm.hpp"

#include <algorithm>
#include <limits>

#include "graphopt/support/aligned.hpp"
#include "graphopt/support/parallel.hpp"
#include "peak.hpp"

namespace graphopt {
namespace {

constexpr double none = -std::numeric_limits<double>::infinity();
constexpr NodeId unknown = -1;

GRAPHOPT_MULTIVERSION_FN Peak peak(const double* values, const double* offsets, std::size_t size) {
    return first_peak(size, [=](std::size_t k) __attribute__((always_inline)) {
        return load_line(values + k) + load_line(offsets + k);
    });
}

class Agglomeration {
  public:
    Agglomeration(std::span<const double> weights, std::size_t n)
        : n_(n),
          // An odd number of lines, so that a column does not fall on one set of the cache.
          stride_((chunk_count(n, peak_width) | 1) * peak_width),
          gains_(n * stride_, uninitialized),
          dead_(stride_),
          zeros_(stride_),
          bound_(stride_),
          partner_(n) {
        std::fill_n(dead_.data() + n, stride_ - n, none);
        std::fill_n(bound_.data() + n, stride_ - n, none);
        std::vector<double> strengths(n);
        for (std::size_t i = 0; i < n; ++i) {
            const double* const row = weights.data() + i * n;
            for (std::size_t j = 0; j < n; ++j) strengths[i] += j == i ? 0.0 : row[j];
            count_work(n);
            total_ += strengths[i];
        }
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t j = 0; j < n; ++j) {
                gain(i, j) = total_ * weights[i * n + j] - strengths[i] * strengths[j];
            }
            gain(i, i) = none;
            std::fill(&gain(i, n), &gain(i, n) + (stride_ - n), 0.0);
            search(i);
            count_work(2 * n);
        }
    }

    Merge merge_best() {
        std::size_t a = peak(bound_.data(), zeros_.data(), stride_).index;
        while (partner_[a] == unknown) {
            search(a);
            a = peak(bound_.data(), zeros_.data(), stride_).index;
        }
        // The smaller name: a pair shows in both its rows, and the first row on top was taken.
        const auto b = static_cast<std::size_t>(partner_[a]);
        const Merge merge{static_cast<NodeId>(a), partner_[a],
                          2.0 * (bound_.data()[a] / total_ / total_)};
        join(a, b);
        return merge;
    }

  private:
    double& gain(std::size_t i, std::size_t j) { return gains_.data()[i * stride_ + j]; }

    void search(std::size_t i) {
        const Peak best = peak(gains_.data() + i * stride_, dead_.data(), stride_);
        bound_.data()[i] = best.value;
        partner_[i] = static_cast<NodeId>(best.index);
        count_work(stride_);
    }

    void join(std::size_t a, std::size_t b) {
        dead_.data()[b] = bound_.data()[b] = none;
        const auto kept = static_cast<NodeId>(a), gone = static_cast<NodeId>(b);
        double* const row = gains_.data() + a * stride_;
        const double* const other = gains_.data() + b * stride_;
        for (std::size_t k = 0; k < n_; ++k) {
            if (k == a || dead_.data()[k] == none) continue;
            const double joint = row[k] += other[k];
            gain(k, a) = joint;
            double& bound = bound_.data()[k];
            if (joint > bound || (joint == bound && partner_[k] >= kept)) {
                bound = joint;
                partner_[k] = kept;
            } else if (partner_[k] == kept || partner_[k] == gone) {
                partner_[k] = unknown;
            }
        }
        count_work(8 * n_);  // a column: every entry lies on a line of its own
        search(a);
    }

    std::size_t n_;
    std::size_t stride_;
    AlignedArray<double> gains_;  // n x stride; of joining two groups, times total^2 / 2
    AlignedArray<double> dead_;   // -inf where a group is gone, else 0
    AlignedArray<double> zeros_;
    AlignedArray<double> bound_;   // no pair of the group gains more; -inf where it is gone
    std::vector<NodeId> partner_;  // the first that reaches the bound, or unknown
    double total_ = 0.0;
};

}  // namespace

std::vector<Merge> cnm(std::span<const double> weights, std::size_t n, std::size_t n_groups) {
    std::vector<Merge> merges;
    merges.reserve(n - n_groups);
    Agglomeration groups(weights, n);
    while (merges.size() < n - n_groups) merges.push_back(groups.merge_best());
    return merges;
}

}  // namespace graphopt
