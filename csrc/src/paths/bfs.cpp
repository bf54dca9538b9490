#include <algorithm>
#include <atomic>
#include <limits>
#include <memory>
#include <numeric>
#include <type_traits>
#include <vector>

#include "bit_search.hpp"
#include "graphopt/paths/shortest_paths.hpp"
#include "graphopt/support/parallel.hpp"
#include "support/counted.hpp"

namespace graphopt {
namespace {

// Below this many sources a word's 512 bits are too empty to pay.
constexpr std::size_t fewest_sources = 32;

// From here on threads share the search of a block; below, the pieces of a level are too small.
constexpr std::size_t fewest_shared_nodes = std::size_t{1} << 15;

// One plain search. `queue` holds n_nodes entries. False when a distance does not fit.
template <class T>
bool search_from(const CsrView& graph, NodeId source, std::uint32_t cutoff, std::span<T> row,
                 std::span<NodeId> queue) {
    counted_fill(row, unreachable<T>);
    WorkCounter count;
    row[static_cast<std::size_t>(source)] = 0;
    queue[0] = source;
    std::size_t begin = 0, end = 1;
    for (std::uint32_t level = 1; begin < end && level <= cutoff; ++level) {
        const std::size_t level_end = end;
        for (; begin < level_end; ++begin) {
            const auto neighbours = graph.neighbours(static_cast<std::size_t>(queue[begin]));
            count(4 + 2 * neighbours.size());
            for (const NodeId v : neighbours) {
                if (row[static_cast<std::size_t>(v)] != unreachable<T>) continue;
                if (level == unreachable<T>) return false;
                row[static_cast<std::size_t>(v)] = static_cast<T>(level);
                queue[end++] = v;
            }
        }
    }
    count.hand_on();
    return true;
}

// Positions in `sources`, near nodes next to each other: by the order in which one search after the
// other, each from the smallest node not seen yet, comes by. Searches that start close to each
// other stand on the same nodes at the same time, so a block of them needs fewer words.
std::vector<std::size_t> near_together(const CsrView& graph, std::span<const NodeId> sources) {
    const std::size_t n = graph.n_nodes();
    std::vector<std::size_t> order(sources.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    if (sources.size() <= BitSearch::width) return order;  // all in one block
    std::vector<std::size_t> rank(n, n);
    WorkCounter count;
    std::vector<NodeId> queue;
    queue.reserve(n);
    const auto visit = [&](NodeId node) {
        if (rank[static_cast<std::size_t>(node)] < n) return;
        rank[static_cast<std::size_t>(node)] = queue.size();
        queue.push_back(node);
    };
    for (std::size_t root = 0, begin = 0; root < n; ++root) {
        visit(static_cast<NodeId>(root));
        for (; begin < queue.size(); ++begin) {
            const auto neighbours = graph.neighbours(static_cast<std::size_t>(queue[begin]));
            count(4 + 4 * neighbours.size());
            for (const NodeId v : neighbours) visit(v);
        }
    }
    // Sorted by counting: where the sources of each rank begin in `order`.
    std::vector<std::size_t> place(n + 1, 0);
    for (const NodeId v : sources) ++place[rank[static_cast<std::size_t>(v)] + 1];
    std::partial_sum(place.begin(), place.end(), place.begin());
    for (std::size_t i = 0; i < sources.size(); ++i) {
        order[place[rank[static_cast<std::size_t>(sources[i])]]++] = i;
    }
    return order;
}

// The job that the threads share.
template <class T>
class HopJob {
  public:
    HopJob(const CsrView& graph, bool directed, std::span<const NodeId> sources,
           std::uint32_t cutoff, std::span<T> out, int num_threads)
        : graph_{graph.indptr, graph.indices, {}},
          incoming_(graph_),
          sources_(sources),
          cutoff_(cutoff),
          out_(out),
          num_threads_(num_threads) {
        if (directed && bits_pay()) {
            reversed_ = transpose(graph_);
            incoming_ = {reversed_.indptr, reversed_.indices, {}};
        }
    }

    bool run() {
        if (bits_pay()) {
            search_blocks();
        } else {
            for (std::size_t i = 0; i < sources_.size(); ++i) left_.push_back(i);
        }
        search_left();
        return fits_;
    }

  private:
    bool bits_pay() const {
        return sizeof(T) <= sizeof(std::uint16_t) && sources_.size() >= fewest_sources;
    }

    T* row(std::size_t i) const { return out_.data() + i * graph_.n_nodes(); }

    // Together; what does not pay is left for later, so that all threads share it.
    void search_blocks() {
        if constexpr (sizeof(T) <= sizeof(std::uint16_t)) {
            const std::size_t n_blocks = chunk_count(sources_.size(), BitSearch::width);
            const std::vector<std::size_t> order = near_together(graph_, sources_);
            std::vector<char> thin(n_blocks, 0);
            const auto threads = static_cast<std::size_t>(usable_threads(num_threads_, n_blocks));
            std::vector<std::unique_ptr<BitSearch>> searches(threads);
            const auto run = [&](std::size_t block, std::size_t worker, int num_threads) {
                if (!fits_) return;
                auto& search = searches[worker];
                if (!search) {
                    search = std::make_unique<BitSearch>(graph_, incoming_, 8 * sizeof(T));
                }
                const auto positions = block_of(order, block);
                const SearchEnd end = search_block(*search, positions, num_threads);
                if (end == SearchEnd::too_deep) fits_ = false;
                if (end == SearchEnd::too_thin) thin[block] = 1;
            };
            // A block a thread while that keeps all busy; what remains is shared, as are the
            // blocks of a large graph, whose words would fill the memory if every thread had some.
            const bool large = graph_.n_nodes() >= fewest_shared_nodes;
            const std::size_t alone = large ? 0 : n_blocks - n_blocks % threads;
            parallel_chunks(alone, num_threads_, [&](std::size_t block, int worker) {
                run(block, static_cast<std::size_t>(worker), 1);
            });
            for (std::size_t block = alone; block < n_blocks; ++block) run(block, 0, num_threads_);

            for (std::size_t block = 0; block < n_blocks; ++block) {
                if (!thin[block]) continue;
                const auto positions = block_of(order, block);
                left_.insert(left_.end(), positions.begin(), positions.end());
            }
        }
    }

    static std::span<const std::size_t> block_of(std::span<const std::size_t> order,
                                                 std::size_t block) {
        const std::size_t begin = block * BitSearch::width;
        return order.subspan(begin, std::min(BitSearch::width, order.size() - begin));
    }

    SearchEnd search_block(BitSearch& search, std::span<const std::size_t> positions,
                           int num_threads) {
        if (positions.size() < fewest_sources) return SearchEnd::too_thin;
        std::vector<NodeId> nodes;
        std::vector<T*> rows;
        for (const std::size_t i : positions) {
            nodes.push_back(sources_[i]);
            rows.push_back(row(i));
        }
        const SearchEnd end = search.run(nodes, cutoff_, num_threads);
        if (end == SearchEnd::complete) search.write(rows);
        return end;
    }

    void search_left() {
        const std::size_t n = graph_.n_nodes();
        const std::size_t each = n + graph_.n_entries() + 1;
        const std::size_t at_once = std::clamp<std::size_t>((std::size_t{1} << 16) / each, 1, 64);
        const std::size_t n_chunks = chunk_count(left_.size(), at_once);
        std::vector<std::vector<NodeId>> queues(
            static_cast<std::size_t>(usable_threads(num_threads_, n_chunks)));
        parallel_ranges(
            left_.size(), at_once, num_threads_,
            [&](std::size_t begin, std::size_t end, std::size_t, int worker) {
                auto& queue = queues[static_cast<std::size_t>(worker)];
                queue.resize(n);
                for (std::size_t i = begin; i < end && fits_; ++i) {
                    const std::span<T> target(row(left_[i]), n);
                    if (!search_from<T>(graph_, sources_[left_[i]], cutoff_, target, queue)) {
                        fits_ = false;
                    }
                }
            });
    }

    CsrView graph_;
    Csr reversed_;
    CsrView incoming_;
    std::span<const NodeId> sources_;
    std::uint32_t cutoff_;
    std::span<T> out_;
    int num_threads_;
    std::vector<std::size_t> left_;  // positions in sources_ to be searched one by one
    std::atomic<bool> fits_{true};
};

}  // namespace

bool hop_distances(const CsrView& graph, bool directed, std::span<const NodeId> sources,
                   std::uint32_t cutoff, std::span<std::uint8_t> out, int num_threads) {
    return HopJob(graph, directed, sources, cutoff, out, num_threads).run();
}

bool hop_distances(const CsrView& graph, bool directed, std::span<const NodeId> sources,
                   std::uint32_t cutoff, std::span<std::uint16_t> out, int num_threads) {
    return HopJob(graph, directed, sources, cutoff, out, num_threads).run();
}

bool hop_distances(const CsrView& graph, bool directed, std::span<const NodeId> sources,
                   std::uint32_t cutoff, std::span<std::uint32_t> out, int num_threads) {
    return HopJob(graph, directed, sources, cutoff, out, num_threads).run();
}

}  // namespace graphopt
