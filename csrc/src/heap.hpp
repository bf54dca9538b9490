// A 4-ary min-heap for searches by length. There is no decrease-key: a node may be queued several
// times, and what comes out late is recognised by its key and skipped.
#pragma once

#include <cstddef>
#include <vector>

namespace graphopt {

template <class Entry>  // ordered by operator<
class Heap {
  public:
    bool empty() const noexcept { return entries_.empty(); }
    void clear() noexcept { entries_.clear(); }

    void push(const Entry& entry) {
        std::size_t i = entries_.size();
        entries_.push_back(entry);
        while (i > 0) {
            const std::size_t parent = (i - 1) / 4;
            if (!(entry < entries_[parent])) break;
            entries_[i] = entries_[parent];
            i = parent;
        }
        entries_[i] = entry;
    }

    Entry pop() {
        const Entry smallest = entries_.front();
        const Entry last = entries_.back();
        entries_.pop_back();
        if (!entries_.empty()) sink(last);
        return smallest;
    }

  private:
    std::size_t smaller(std::size_t a, std::size_t b) const {
        return entries_[b] < entries_[a] ? b : a;
    }

    // Moves the hole at the top down to where `entry` belongs. Which child is smallest cannot be
    // predicted, so four are compared in pairs, without branches.
    void sink(const Entry& entry) {
        const std::size_t size = entries_.size();
        std::size_t hole = 0, child = 1;
        for (; child + 3 < size; child = 4 * hole + 1) {
            const std::size_t best =
                smaller(smaller(child, child + 1), smaller(child + 2, child + 3));
            if (!(entries_[best] < entry)) break;
            entries_[hole] = entries_[best];
            hole = best;
        }
        if (child < size && child + 3 >= size) {
            std::size_t best = child;
            for (std::size_t i = child + 1; i < size; ++i) best = smaller(best, i);
            if (entries_[best] < entry) {
                entries_[hole] = entries_[best];
                hole = best;
            }
        }
        entries_[hole] = entry;
    }

    std::vector<Entry> entries_;
};

}  // namespace graphopt
