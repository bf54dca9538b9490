// The queue of a search by length: nodes, each at most once, smallest key first.
#pragma once

#include <cstddef>
#include <limits>
#include <vector>

#include "graphopt/support/csr.hpp"

namespace graphopt {

// A 4-ary heap that knows where every node stands, so that a key can be lowered in place: half as
// many nodes come out as from one that queues a node again.
template <class Key>  // ordered by operator<
class NodeHeap {
  public:
    struct Entry {
        Key key;
        NodeId node;
    };

    explicit NodeHeap(std::size_t n_nodes) : place_(n_nodes, nowhere) {}

    bool empty() const noexcept { return entries_.empty(); }

    // Puts the node in, or lowers its key. Precondition: a key it had is not smaller.
    void put(NodeId node, const Key& key) {
        std::size_t hole = place_[static_cast<std::size_t>(node)];
        if (hole == nowhere) {
            hole = entries_.size();
            entries_.emplace_back();
        }
        while (hole > 0) {
            const std::size_t parent = (hole - 1) / 4;
            if (!(key < entries_[parent].key)) break;
            set(hole, entries_[parent]);
            hole = parent;
        }
        set(hole, {key, node});
    }

    Entry pop() {
        const Entry smallest = entries_.front();
        const Entry last = entries_.back();
        entries_.pop_back();
        place_[static_cast<std::size_t>(smallest.node)] = nowhere;
        if (!entries_.empty()) sink(last);
        return smallest;
    }

  private:
    static constexpr std::size_t nowhere = std::numeric_limits<std::size_t>::max();

    void set(std::size_t i, const Entry& entry) {
        entries_[i] = entry;
        place_[static_cast<std::size_t>(entry.node)] = i;
    }

    std::size_t smaller(std::size_t a, std::size_t b) const {
        return entries_[b].key < entries_[a].key ? b : a;
    }

    // Which child is smallest cannot be predicted: four are compared in pairs, without branches.
    std::size_t smallest_child(std::size_t first) const {
        const std::size_t size = entries_.size();
        if (first + 3 < size)
            return smaller(smaller(first, first + 1), smaller(first + 2, first + 3));
        std::size_t best = first;
        for (std::size_t i = first + 1; i < size; ++i) best = smaller(best, i);
        return best;
    }

    // Moves the hole at the top down to where `entry` belongs.
    void sink(const Entry& entry) {
        std::size_t hole = 0;
        for (std::size_t first = 1; first < entries_.size(); first = 4 * hole + 1) {
            const std::size_t child = smallest_child(first);
            if (!(entries_[child].key < entry.key)) break;
            set(hole, entries_[child]);
            hole = child;
        }
        set(hole, entry);
    }

    std::vector<Entry> entries_;
    std::vector<std::size_t> place_;
};

}  // namespace graphopt
