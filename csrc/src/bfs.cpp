#include <algorithm>
#include <atomic>
#include <limits>
#include <memory>
#include <type_traits>
#include <vector>

#include "bit_search.hpp"
#include "graphopt/parallel.hpp"
#include "graphopt/shortest_paths.hpp"

namespace graphopt {
namespace {

// Below this many sources a word's 512 bits are too empty to pay.
constexpr std::size_t fewest_sources = 32;

// One plain search. `queue` holds n_nodes entries. False when a distance does not fit.
template <class T>
bool search_from(const CsrView& graph, NodeId source, std::uint32_t cutoff, std::span<T> row,
                 std::span<NodeId> queue) {
    std::fill(row.begin(), row.end(), unreachable<T>);
    row[static_cast<std::size_t>(source)] = 0;
    queue[0] = source;
    std::size_t begin = 0, end = 1;
    for (std::uint32_t level = 1; begin < end && level <= cutoff; ++level) {
        const std::size_t level_end = end;
        for (; begin < level_end; ++begin) {
            for (const NodeId v : graph.neighbours(static_cast<std::size_t>(queue[begin]))) {
                if (row[static_cast<std::size_t>(v)] != unreachable<T>) continue;
                if (level == unreachable<T>) return false;
                row[static_cast<std::size_t>(v)] = static_cast<T>(level);
                queue[end++] = v;
            }
        }
    }
    return true;
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
            std::vector<char> thin(n_blocks, 0);
            std::vector<std::unique_ptr<BitSearch>> searches(
                static_cast<std::size_t>(usable_threads(num_threads_, n_blocks)));
            parallel_chunks(n_blocks, num_threads_, [&](std::size_t block, int worker) {
                if (!fits_) return;
                const std::size_t begin = block * BitSearch::width;
                const auto sources =
                    sources_.subspan(begin, std::min(BitSearch::width, sources_.size() - begin));
                auto& search = searches[static_cast<std::size_t>(worker)];
                if (!search) {
                    search = std::make_unique<BitSearch>(graph_, incoming_, 8 * sizeof(T));
                }
                InterruptPoll poll;
                const SearchEnd end = sources.size() < fewest_sources ? SearchEnd::too_thin
                                                                      : search->run(
                                                                            sources, cutoff_,
                                                                            [&] {
                                                                                if (worker == 0)
                                                                                    poll();
                                                                            });
                if (end == SearchEnd::too_deep) fits_ = false;
                if (end == SearchEnd::too_thin) thin[block] = 1;
                if (end != SearchEnd::complete) return;
                std::vector<T*> rows(sources.size());
                for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = row(begin + i);
                search->write(rows);
            });
            for (std::size_t i = 0; i < sources_.size(); ++i) {
                if (thin[i / BitSearch::width]) left_.push_back(i);
            }
        }
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
