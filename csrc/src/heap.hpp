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
    // Moves the hole at the top down to where `entry` belongs.
    void sink(const Entry& entry) {
        const std::size_t size = entries_.size();
        std::size_t hole = 0;
        for (std::size_t child = 1; child < size; child = 4 * hole + 1) {
            const std::size_t end = child + 4 < size ? child + 4 : size;
            std::size_t best = child;
            for (std::size_t i = child + 1; i < end; ++i) {
                if (entries_[i] < entries_[best]) best = i;
            }
            if (!(entries_[best] < entry)) break;
            entries_[hole] = entries_[best];
            hole = best;
        }
        entries_[hole] = entry;
    }

    std::vector<Entry> entries_;
};

}  // namespace graphopt
