// Nodes that change groups one by one, each to where modularity gains most.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "graphopt/support/csr.hpp"
#include "graphopt/support/random.hpp"
#include "support/counted.hpp"

namespace graphopt {

// A graph whose nodes may stand for several of a finer one. Edges within a node are not stored,
// but its strength has them.
struct Level {
    std::vector<EdgeOffset> indptr;
    std::vector<NodeId> indices;
    std::vector<double> weights;
    std::vector<double> strengths;

    std::size_t n_nodes() const noexcept { return strengths.size(); }
    std::size_t begin(std::size_t i) const { return static_cast<std::size_t>(indptr[i]); }
    std::size_t end(std::size_t i) const { return static_cast<std::size_t>(indptr[i + 1]); }
};

// `parent` names the node of the result, in [0, n_parents), that each node becomes part of.
Level contract(const Level& level, std::span<const NodeId> parent, std::size_t n_parents);

struct MoveRule {
    double total;       // 2m
    double resolution;  // of modularity
    bool keep_all;      // no group loses its last node
    bool leap;          // also to groups that share no edge with the node
};

// A partition of a level that changes. Gains are in units of total^2 / 2, which makes them exact
// for whole numbers: their ties are true ties.
class GroupMoves {
  public:
    // `within`, if any: nodes see only neighbours of the same class. All spans must outlive this.
    GroupMoves(const Level& level, std::span<NodeId> labels, std::size_t n_groups,
               const MoveRule& rule, std::span<const NodeId> within);

    // Every node that has an edge, in random order, until none gains by moving.
    void settle_all(SplitMix64& random);

    // A few adjacent nodes move to another group and the nodes around settle; undone unless that
    // gains. A group that must not be lost gets some other node.
    void kick(std::size_t reach, SplitMix64& random);

  private:
    struct Change {
        std::size_t node;
        NodeId from;
        double from_volume, to_volume;  // before, so that an undone change leaves no rounding
    };

    void find_links(std::size_t i);
    double link(NodeId group) const {
        return seen_[static_cast<std::size_t>(group)] ? links_[static_cast<std::size_t>(group)]
                                                      : 0.0;
    }
    void forget_links();
    double gain(std::size_t i, NodeId to) const;
    double stay(std::size_t i) const;
    double move(std::size_t i, NodeId to);
    double refill(NodeId group, SplitMix64& random);
    void change(std::size_t i, NodeId to);
    void undo();
    void push(std::size_t i);
    double settle();
    NodeId best_group(std::size_t i, double& gained);
    void grow_region(std::size_t start, std::size_t wanted, SplitMix64& random);
    NodeId choose_target(NodeId own, SplitMix64& random);

    const Level& level_;
    std::span<NodeId> labels_;
    std::size_t n_groups_;
    MoveRule rule_;
    std::span<const NodeId> within_;
    WorkCounter count_;
    double least_;  // gains up to that are rounding
    std::vector<double> volumes_;
    std::vector<std::size_t> sizes_;
    std::vector<std::size_t> movable_;  // nodes that have an edge
    // Weight of one node, or several, to the groups around, in the order they were met.
    std::vector<double> links_;
    std::vector<std::uint8_t> seen_;
    std::vector<NodeId> met_;
    // First in, first out; a node waits once.
    std::vector<std::size_t> queue_;
    std::size_t head_ = 0, waiting_ = 0;
    std::vector<std::uint8_t> queued_;
    std::vector<std::size_t> region_, frontier_;
    std::vector<std::uint8_t> marked_;
    std::vector<Change> changes_;  // since the last kick
    bool logging_ = false;
};

}  // namespace graphopt
