#include "bit_search.hpp"

#include <algorithm>
#include <bit>

#include "bit_planes.hpp"
#include "graphopt/support/vector_math.hpp"
#include "support/counted.hpp"

namespace graphopt {
namespace {

// A pull reads every edge whose end is not finished, a push only the edges of active nodes but
// writes a word for each: a push pays below a quarter of the edges.
constexpr std::size_t push_advantage = 4;

// Words that may be combined for each edge and source before the search gives up. A word costs
// several times what a step of a plain search does: a search given up costs about as much again as
// the plain ones that follow.
constexpr std::size_t budget_divisor = 4;

// One level's worth of pointers. Planes are those with a bit in the level's number.
struct Level {
    SourceBits* seen;
    SourceBits* frontier;
    SourceBits* next;
    SourceBits* planes[32];
    std::size_t n_planes;
};

// Keeps of `reached` what is new at `node`; true if anything is.
GRAPHOPT_ALWAYS_INLINE bool settle(const Level& level, std::size_t node, const uint64x8& reached) {
    const uint64x8 fresh = reached & ~level.seen[node].bits;
    level.next[node].bits = fresh;
    if (!any(fresh)) return false;
    level.seen[node].bits |= fresh;
    for (std::size_t p = 0; p < level.n_planes; ++p) level.planes[p][node].bits |= fresh;
    return true;
}

// Every unfinished node in [begin, end) collects from its predecessors. Writes the active ones
// among them to `active`, which has room for all.
GRAPHOPT_MULTIVERSION_FN
std::size_t pull(const Level& level, const EdgeOffset* indptr, const NodeId* indices,
                 std::size_t begin, std::size_t end, NodeId* active) {
    const uint64x8 none{};
    std::size_t n_active = 0;
    for (std::size_t v = begin; v < end; ++v) {
        if (!any(~level.seen[v].bits)) {
            level.next[v].bits = none;
            continue;
        }
        uint64x8 reached{};
        for (EdgeOffset e = indptr[v]; e < indptr[v + 1]; ++e) {
            reached |= level.frontier[indices[e]].bits;
        }
        active[n_active] = static_cast<NodeId>(v);
        n_active += settle(level, v, reached) ? 1 : 0;
    }
    return n_active;
}

// Active nodes spread to their successors, which join the `n_touched` listed in `touched` (room for
// one more than there are nodes). Of all active nodes together, `next` is zero on entry, `frontier`
// on return. `touched_at[v] == stamp` marks the nodes already listed.
GRAPHOPT_MULTIVERSION_FN
std::size_t push(const Level& level, const EdgeOffset* indptr, const NodeId* indices,
                 std::span<const NodeId> active, NodeId* touched, std::uint32_t* touched_at,
                 std::uint32_t stamp, std::size_t n_touched) {
    const uint64x8 none{};
    for (const NodeId u : active) {
        const uint64x8 bits = level.frontier[u].bits;
        level.frontier[u].bits = none;
        for (EdgeOffset e = indptr[u]; e < indptr[u + 1]; ++e) {
            const NodeId v = indices[e];
            level.next[v].bits |= bits;
            touched[n_touched] = v;
            n_touched += touched_at[v] != stamp ? 1 : 0;
            touched_at[v] = stamp;
        }
    }
    return n_touched;
}

// What is new at the touched nodes. Writes the active ones among them to `active`.
GRAPHOPT_MULTIVERSION_FN
std::size_t settle_touched(const Level& level, std::span<const NodeId> touched, NodeId* active) {
    std::size_t n_active = 0;
    for (const NodeId v : touched) {
        active[n_active] = v;
        const auto node = static_cast<std::size_t>(v);
        n_active += settle(level, node, level.next[v].bits) ? 1 : 0;
    }
    return n_active;
}

// Pieces of a level that one thread goes through: long enough to cost nothing, short enough for
// work to be counted between them. A multiple of 64, because that many nodes are written together.
constexpr std::size_t pieces_of_one = 4096;

// Units of work for a word that is combined: it is read in no order.
constexpr std::size_t word_units = 8;

std::size_t n_edges(const CsrView& graph, std::size_t begin, std::size_t end) {
    return static_cast<std::size_t>(graph.indptr[end] - graph.indptr[begin]);
}

}  // namespace

BitSearch::BitSearch(const CsrView& outgoing, const CsrView& incoming, unsigned max_planes)
    : outgoing_(outgoing),
      incoming_(incoming),
      deepest_((std::uint32_t{1} << max_planes) - 2),
      n_entries_(outgoing.n_entries()),
      seen_(outgoing.n_nodes(), uninitialized),
      frontier_(outgoing.n_nodes(), uninitialized),
      next_(outgoing.n_nodes(), uninitialized),
      touched_(outgoing.n_nodes() + 1),
      touched_at_(outgoing.n_nodes()) {
    active_.reserve(outgoing.n_nodes());
}

// Those that threads share: many enough for balance.
std::size_t BitSearch::piece_size(std::size_t n_items) const {
    if (num_threads_ == 1) return pieces_of_one;
    return std::clamp<std::size_t>(n_items / 64 / 64, 1, 128) * 64;
}

// Calls body(begin, end). One thread alone does not enter a parallel region: it may be in one.
template <class Body>
void BitSearch::over_ranges(std::size_t n_items, Body&& body) {
    const std::size_t size = piece_size(n_items);
    const auto counted = [&](std::size_t begin, std::size_t end, std::size_t, int) {
        body(begin, end);
        count_work(word_units * (end - begin));
    };
    if (num_threads_ != 1) {
        parallel_ranges(n_items, size, num_threads_, counted);
        return;
    }
    for (std::size_t begin = 0; begin < n_items; begin += size) {
        counted(begin, std::min(begin + size, n_items), 0, 0);
    }
}

// find(begin, end, active) writes the active nodes it finds, at most end - begin, and returns how
// many; here they become active_.
template <class Find>
void BitSearch::find_active(std::size_t n_items, Find&& find) {
    const std::size_t size = piece_size(n_items);
    active_.resize(n_items);
    found_.assign(chunk_count(n_items, size), {});
    over_ranges(n_items, [&](std::size_t begin, std::size_t end) {
        NodeId* const active = active_.data() + begin;
        Found& found = found_[begin / size];
        found.n_active = find(begin, end, active);
        for (std::size_t i = 0; i < found.n_active; ++i) {
            found.n_edges += outgoing_.neighbours(static_cast<std::size_t>(active[i])).size();
        }
    });
    std::size_t n_active = 0;
    active_edges_ = 0;
    for (std::size_t range = 0; range < found_.size(); ++range) {
        const auto from = active_.begin() + static_cast<std::ptrdiff_t>(range * size);
        std::copy_n(from, found_[range].n_active,
                    active_.begin() + static_cast<std::ptrdiff_t>(n_active));
        n_active += found_[range].n_active;
        active_edges_ += found_[range].n_edges;
    }
    active_.resize(n_active);
}

void BitSearch::fill(AlignedArray<SourceBits>& words, const SourceBits& value) {
    over_ranges(words.size(), [&](std::size_t begin, std::size_t end) {
        std::fill(words.data() + begin, words.data() + end, value);
    });
}

void BitSearch::start(std::span<const NodeId> sources) {
    SourceBits unused;
    for (std::size_t bit = sources.size(); bit < width; ++bit)
        unused.bits[bit / 64] |= 1ULL << bit % 64;
    fill(seen_, unused);
    fill(frontier_, {});
    fill(next_, {});
    std::fill(touched_at_.begin(), touched_at_.end(), 0);
    n_planes_ = 0;
    next_is_clean_ = true;
    active_.clear();
    active_edges_ = 0;
    for (std::size_t bit = 0; bit < sources.size(); ++bit) {
        const auto node = static_cast<std::size_t>(sources[bit]);
        if (!any(frontier_[node].bits)) {
            active_.push_back(sources[bit]);
            active_edges_ += outgoing_.neighbours(node).size();
        }
        frontier_[node].bits[bit / 64] |= 1ULL << bit % 64;
        seen_[node].bits[bit / 64] |= 1ULL << bit % 64;
    }
    work_ = 0;
    budget_ = sources.size() * (outgoing_.n_nodes() + n_entries_) / budget_divisor;
}

void BitSearch::advance(std::uint32_t level_number) {
    const std::size_t n = outgoing_.n_nodes();
    const auto planes_needed = static_cast<std::size_t>(std::bit_width(level_number));
    for (; n_planes_ < planes_needed; ++n_planes_) {
        if (planes_.size() == n_planes_) planes_.emplace_back(n, uninitialized);
        fill(planes_[n_planes_], {});
    }
    Level level{seen_.data(), frontier_.data(), next_.data(), {}, 0};
    for (std::size_t p = 0; p < planes_needed; ++p) {
        if (level_number >> p & 1) level.planes[level.n_planes++] = planes_[p].data();
    }

    if (active_edges_ < n_entries_ / push_advantage) {
        if (!next_is_clean_) fill(next_, {});
        next_is_clean_ = true;
        work_ += active_edges_ + active_.size();
        std::size_t n_touched = 0;
        constexpr std::size_t some = 256;
        for (std::size_t begin = 0; begin < active_.size(); begin += some) {
            const std::size_t count = std::min(some, active_.size() - begin);
            const auto active = std::span(active_).subspan(begin, count);
            n_touched = push(level, outgoing_.indptr.data(), outgoing_.indices.data(), active,
                             touched_.data(), touched_at_.data(), level_number, n_touched);
            std::size_t edges = 0;
            for (const NodeId u : active) {
                edges += outgoing_.neighbours(static_cast<std::size_t>(u)).size();
            }
            count_work(word_units * edges);
        }
        const std::span<const NodeId> touched(touched_);
        find_active(n_touched, [&](std::size_t begin, std::size_t end, NodeId* active) {
            return settle_touched(level, touched.subspan(begin, end - begin), active);
        });
    } else {
        next_is_clean_ = false;
        work_ += n_entries_ + n;
        find_active(n, [&](std::size_t begin, std::size_t end, NodeId* active) {
            count_work(word_units * n_edges(incoming_, begin, end));
            return pull(level, incoming_.indptr.data(), incoming_.indices.data(), begin, end,
                        active);
        });
    }
    std::swap(frontier_, next_);
}

template <class T>
void BitSearch::write_rows(std::span<T* const> rows) {
    std::vector<const SourceBits*> planes;
    for (std::size_t p = 0; p < n_planes_; ++p) planes.push_back(planes_[p].data());
    // The first few nodes below are written into every row.
    over_ranges(rows.size(), [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) {
            counted_touch(std::span(rows[i], outgoing_.n_nodes()));
        }
    });
    over_ranges(outgoing_.n_nodes(), [&](std::size_t begin, std::size_t end) {
        write_distances(planes, seen_.data(), rows, begin, end);
        count_work(rows.size() * (end - begin) * sizeof(T) / 2);
    });
}

void BitSearch::write(std::span<std::uint8_t* const> rows) { write_rows(rows); }
void BitSearch::write(std::span<std::uint16_t* const> rows) { write_rows(rows); }

}  // namespace graphopt
