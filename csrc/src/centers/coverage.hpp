// How well the centres chosen so far cover the customers.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "graphopt/centers/k_center.hpp"
#include "graphopt/paths/shortest_paths.hpp"

namespace graphopt {

template <class T>
class Coverage {
  public:
    // Customers with needed[j] == 0 count as being at distance 0; empty: all are needed.
    explicit Coverage(std::size_t n_customers, std::span<const std::uint8_t> needed = {})
        : distances_(n_customers, unreachable<T>),
          assignment_(n_customers, -1),
          chosen_(n_customers, 0) {
        for (std::size_t j = 0; j < needed.size(); ++j) {
            if (needed[j] == 0) distances_[j] = T{0};
        }
    }

    const std::vector<T>& distances() const noexcept { return distances_; }
    bool chosen(std::size_t node) const noexcept { return chosen_[node] != 0; }
    std::size_t n_centers() const noexcept { return centers_.size(); }

    // The next centre. Whoever calls this tells afterwards which customers it brings closer.
    void open(NodeId center) {
        position_ = static_cast<std::int32_t>(centers_.size());
        centers_.push_back(center);
        chosen_[static_cast<std::size_t>(center)] = 1;
    }

    // True, and noted, if the centre opened last brings the customer closer than it was.
    bool improve(std::size_t customer, T distance) {
        if (!(distance < distances_[customer])) return false;
        distances_[customer] = distance;
        assignment_[customer] = position_;
        return true;
    }

    // The same in two steps, the first without a branch: true if the customer comes closer, which
    // is then to be assigned.
    bool lower(std::size_t customer, T distance) {
        const T before = distances_[customer];
        distances_[customer] = std::min(before, distance);
        return distance < before;
    }
    void assign(std::span<const NodeId> customers) {
        for (const NodeId v : customers) assignment_[static_cast<std::size_t>(v)] = position_;
    }

    // The node farthest from all centres, the smallest on ties, of those that may open (empty: all)
    // and are not chosen. There must be one.
    NodeId farthest(std::span<const std::uint8_t> may_open) const {
        const T worst = largest();
        if (may_open.empty() && worst > T{0}) {  // mostly; and fast
            const auto node = static_cast<std::size_t>(
                std::find(distances_.begin(), distances_.end(), worst) - distances_.begin());
            if (!chosen(node)) return static_cast<NodeId>(node);
        }
        NodeId best = -1;
        for (std::size_t node = 0; node < distances_.size(); ++node) {
            if (chosen(node) || (!may_open.empty() && may_open[node] == 0)) continue;
            if (best < 0 || distances_[node] > distances_[static_cast<std::size_t>(best)]) {
                best = static_cast<NodeId>(node);
            }
        }
        return best;
    }

    KCenter result() && {
        const T worst = largest();
        return {std::move(centers_), std::move(assignment_),
                worst == unreachable<T> ? std::numeric_limits<double>::infinity()
                                        : static_cast<double>(worst)};
    }

  private:
    T largest() const {
        T worst = 0;
        for (const T distance : distances_) worst = std::max(worst, distance);
        return worst;
    }

    std::vector<T> distances_;  // of every customer from its nearest centre
    std::vector<std::int32_t> assignment_;
    std::vector<char> chosen_;
    std::vector<NodeId> centers_;
    std::int32_t position_ = -1;
};

}  // namespace graphopt
