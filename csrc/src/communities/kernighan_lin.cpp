#include "graphopt/communities/kernighan_lin.hpp"

#include <limits>
#include <vector>

#include "graphopt/support/aligned.hpp"
#include "graphopt/support/parallel.hpp"
#include "peak.hpp"

namespace graphopt {
namespace {

constexpr double moved = -std::numeric_limits<double>::infinity();
constexpr double rounding = 1e-12;  // of modularity

// The node whose change gains most if slopes[j] * volume + levels[j] is what j's change gains.
GRAPHOPT_MULTIVERSION_FN Peak best_move(const double* slopes, const double* levels, double volume,
                                        std::size_t size) {
    return first_peak(size, [=](std::size_t k) __attribute__((always_inline)) {
        return load_line(slopes + k) * volume + load_line(levels + k);
    });
}

struct SparseRows {
    const SparseView<double>& matrix;

    template <class Visit>
    void visit(std::size_t row, Visit&& each) const {
        const auto end = static_cast<std::size_t>(matrix.indptr[row + 1]);
        count_work(2 * (end - static_cast<std::size_t>(matrix.indptr[row])));
        for (auto e = static_cast<std::size_t>(matrix.indptr[row]); e < end; ++e) {
            each(static_cast<std::size_t>(matrix.indices[e]), matrix.values[e]);
        }
    }
};

struct DenseRows {
    std::span<const double> matrix;
    std::size_t n;

    template <class Visit>
    void visit(std::size_t row, Visit&& each) const {
        const double* const weights = matrix.data() + row * n;
        count_work(n);
        for (std::size_t j = 0; j < n; ++j) each(j, weights[j]);
    }
};

// With signs for the sides, a_j the weight of j to its own side less that to the other, and V the
// signed sum of strengths, the change of j gains 2 / total times
// sign_j s_j V / total - s_j^2 / total - a_j: a line in V, and only neighbours' levels change.
template <class Rows>
class Pass {
  public:
    Pass(const Rows& rows, std::span<const double> strengths, double total,
         std::span<const bool> side)
        : rows_(rows),
          strengths_(strengths),
          n_(side.size()),
          size_(chunk_count(n_, peak_width) * peak_width),
          signs_(n_),
          slopes_(size_),
          levels_(size_) {
        std::fill(levels_.data() + n_, levels_.data() + size_, moved);
        for (std::size_t i = 0; i < n_; ++i) {
            signs_[i] = side[i] ? 1.0 : -1.0;
            volume_ += signs_[i] * strengths[i];
            n_positive_ += side[i] ? 1 : 0;
        }
        for (std::size_t i = 0; i < n_; ++i) {
            double near = 0.0;
            rows.visit(i, [&](std::size_t j, double weight) { near += weight * signs_[j]; });
            slopes_.data()[i] = signs_[i] * strengths[i] / total;
            levels_.data()[i] = -strengths[i] * strengths[i] / total - signs_[i] * near;
        }
    }

    // Moves nodes until a side would be empty. Returns the moves up to the best state, none if that
    // gains no more than `least`.
    std::vector<std::size_t> best_moves(double least) {
        std::vector<std::size_t> moves;
        double gained = 0.0, most = least;
        std::size_t n_best = 0;
        while (moves.size() < n_) {
            count_work(size_);
            const Peak best = best_move(slopes_.data(), levels_.data(), volume_, size_);
            n_positive_ += signs_[best.index] < 0.0 ? 1 : -1;
            if (n_positive_ == 0 || n_positive_ == static_cast<std::ptrdiff_t>(n_)) break;
            gained += best.value;
            moves.push_back(best.index);
            if (gained > most) {
                most = gained;
                n_best = moves.size();
            }
            change(best.index);
        }
        moves.resize(n_best);
        return moves;
    }

  private:
    void change(std::size_t i) {
        const double twice = -2.0 * signs_[i];
        signs_[i] = -signs_[i];
        slopes_.data()[i] = 0.0;
        levels_.data()[i] = moved;
        volume_ += twice * strengths_[i];
        double* const levels = levels_.data();
        const double* const signs = signs_.data();
        rows_.visit(i,
                    [=](std::size_t j, double weight) { levels[j] -= signs[j] * twice * weight; });
    }

    const Rows& rows_;
    std::span<const double> strengths_;
    std::size_t n_;
    std::size_t size_;
    std::vector<double> signs_;
    AlignedArray<double> slopes_;
    AlignedArray<double> levels_;  // -inf where a node has moved
    double volume_ = 0.0;
    std::ptrdiff_t n_positive_ = 0;
};

template <class Rows>
void run(const Rows& rows, std::span<const double> strengths, double total, std::span<bool> side) {
    for (;;) {
        Pass<Rows> pass(rows, strengths, total, side);
        const std::vector<std::size_t> moves = pass.best_moves(rounding * total / 2.0);
        if (moves.empty()) return;
        for (const std::size_t i : moves) side[i] = !side[i];
    }
}

}  // namespace

void kernighan_lin(const SparseView<double>& matrix, std::span<const double> strengths,
                   double total, std::span<bool> side) {
    run(SparseRows{matrix}, strengths, total, side);
}

void kernighan_lin(std::span<const double> matrix, std::span<const double> strengths, double total,
                   std::span<bool> side) {
    run(DenseRows{matrix, side.size()}, strengths, total, side);
}

}  // namespace graphopt
