#include "bit_search.hpp"

#include <algorithm>
#include <bit>

#include "bit_planes.hpp"

namespace graphopt {
namespace {

// A pull reads every edge whose end is not finished, a push only the edges of active nodes but
// writes a word for each: a push pays below a quarter of the edges.
constexpr std::size_t push_advantage = 4;

// Words that may be combined for each edge and source before the search gives up. A word costs
// several times what a step of a plain search does: a search given up costs about as much again as
// the plain ones that follow.
constexpr std::size_t budget_divisor = 4;

typedef unsigned long long uint64x4 __attribute__((vector_size(32)));
typedef unsigned long long uint64x2 __attribute__((vector_size(16)));

GRAPHOPT_ALWAYS_INLINE bool any(const uint64x8& bits) {
    struct Halves {
        uint64x4 low, high;
    };
    struct Quarters {
        uint64x2 low, high;
    };
    const auto halves = std::bit_cast<Halves>(bits);
    const auto quarters = std::bit_cast<Quarters>(halves.low | halves.high);
    const uint64x2 pair = quarters.low | quarters.high;
    return (pair[0] | pair[1]) != 0;
}

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

// Every unfinished node collects from its predecessors. Returns the number of active nodes.
GRAPHOPT_MULTIVERSION_FN
std::size_t pull(const Level& level, const EdgeOffset* indptr, const NodeId* indices,
                 std::size_t n_nodes, NodeId* active) {
    const uint64x8 none{};
    std::size_t n_active = 0;
    for (std::size_t v = 0; v < n_nodes; ++v) {
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

// Every active node spreads to its successors. `next` is zero on entry, `frontier` on return.
// `touched_at[v] == stamp` marks the nodes already in `touched`.
GRAPHOPT_MULTIVERSION_FN
std::size_t push(const Level& level, const EdgeOffset* indptr, const NodeId* indices,
                 std::size_t n_active, NodeId* active, NodeId* touched, std::uint32_t* touched_at,
                 std::uint32_t stamp) {
    const uint64x8 none{};
    std::size_t n_touched = 0;
    for (std::size_t i = 0; i < n_active; ++i) {
        const NodeId u = active[i];
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
    std::size_t n_found = 0;
    for (std::size_t i = 0; i < n_touched; ++i) {
        const NodeId v = touched[i];
        active[n_found] = v;
        n_found += settle(level, static_cast<std::size_t>(v), level.next[v].bits) ? 1 : 0;
    }
    return n_found;
}

}  // namespace

BitSearch::BitSearch(const CsrView& outgoing, const CsrView& incoming, unsigned max_planes)
    : outgoing_(outgoing),
      incoming_(incoming),
      deepest_((std::uint32_t{1} << max_planes) - 2),
      n_entries_(outgoing.n_entries()),
      seen_(outgoing.n_nodes()),
      frontier_(outgoing.n_nodes()),
      next_(outgoing.n_nodes()),
      touched_(outgoing.n_nodes() + 1),
      touched_at_(outgoing.n_nodes()) {
    active_.reserve(outgoing.n_nodes() + 1);
}

void BitSearch::start(std::span<const NodeId> sources) {
    const std::size_t n = outgoing_.n_nodes();
    SourceBits unused;
    for (std::size_t bit = sources.size(); bit < width; ++bit)
        unused.bits[bit / 64] |= 1ULL << bit % 64;
    std::fill(seen_.begin(), seen_.end(), unused);
    std::fill(frontier_.begin(), frontier_.end(), SourceBits{});
    std::fill(next_.begin(), next_.end(), SourceBits{});
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
    budget_ = sources.size() * (n + n_entries_) / budget_divisor;
}

void BitSearch::advance(std::uint32_t level_number) {
    const std::size_t n = outgoing_.n_nodes();
    const auto planes_needed = static_cast<std::size_t>(std::bit_width(level_number));
    for (; n_planes_ < planes_needed; ++n_planes_) {
        if (planes_.size() == n_planes_) planes_.emplace_back();
        planes_[n_planes_].assign(n, SourceBits{});
    }
    Level level{seen_.data(), frontier_.data(), next_.data(), {}, 0};
    for (std::size_t p = 0; p < planes_needed; ++p) {
        if (level_number >> p & 1) level.planes[level.n_planes++] = planes_[p].data();
    }

    std::size_t n_active = active_.size();
    if (active_edges_ < n_entries_ / push_advantage) {
        if (!next_is_clean_) std::fill(next_.begin(), next_.end(), SourceBits{});
        work_ += active_edges_ + n_active;
        active_.resize(n + 1);  // the loops write one past what they keep
        n_active = push(level, outgoing_.indptr.data(), outgoing_.indices.data(), n_active,
                        active_.data(), touched_.data(), touched_at_.data(), level_number);
        next_is_clean_ = true;
    } else {
        work_ += n_entries_ + n;
        active_.resize(n + 1);
        n_active =
            pull(level, incoming_.indptr.data(), incoming_.indices.data(), n, active_.data());
        next_is_clean_ = false;
    }
    active_.resize(n_active);
    frontier_.swap(next_);
    active_edges_ = 0;
    for (const NodeId u : active_) {
        active_edges_ += outgoing_.neighbours(static_cast<std::size_t>(u)).size();
    }
}

void BitSearch::write(std::span<std::uint8_t* const> rows) const {
    std::vector<const SourceBits*> planes;
    for (std::size_t p = 0; p < n_planes_; ++p) planes.push_back(planes_[p].data());
    write_distances(planes, seen_, rows);
}

void BitSearch::write(std::span<std::uint16_t* const> rows) const {
    std::vector<const SourceBits*> planes;
    for (std::size_t p = 0; p < n_planes_; ++p) planes.push_back(planes_[p].data());
    write_distances(planes, seen_, rows);
}

}  // namespace graphopt
