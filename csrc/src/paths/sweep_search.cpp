#include "sweep_search.hpp"

#include <algorithm>
#include <bit>

#include "graphopt/paths/shortest_paths.hpp"
#include "graphopt/support/vector_math.hpp"
#include "support/counted.hpp"

namespace graphopt {
namespace {

constexpr std::size_t per_vector = simd_bytes / sizeof(double);
constexpr std::size_t n_vectors = SweepSearch::n_lanes / per_vector;  // of labels, a node
constexpr std::size_t bits = 64;                                      // of a word of `waiting`

// A search gives up after pulling all edges this often. Single searches cost two to three times as
// much on the graphs measured, so giving up adds less than half.
constexpr std::size_t max_rounds = 64;

struct Sweep {
    const Csr& edges_in;
    const Csr& edges_out;
    Line<float64x8>* labels;
    std::span<std::uint64_t> waiting;
    double cutoff;
};

void wait_behind(const Sweep& sweep, std::size_t node) {
    const auto end = static_cast<std::size_t>(sweep.edges_out.indptr[node + 1]);
    for (auto e = static_cast<std::size_t>(sweep.edges_out.indptr[node]); e < end; ++e) {
        const auto v = static_cast<std::size_t>(sweep.edges_out.indices[e]);
        sweep.waiting[v / bits] |= std::uint64_t{1} << (v % bits);
    }
}

// True if a label of the node became smaller.
GRAPHOPT_ALWAYS_INLINE bool pull(const Sweep& sweep, std::size_t node) {
    Line<float64x8>* const own = sweep.labels + node * n_vectors;
    float64x8 best[n_vectors];
    for (std::size_t i = 0; i < n_vectors; ++i) best[i] = own[i].lanes;
    const auto end = static_cast<std::size_t>(sweep.edges_in.indptr[node + 1]);
    for (auto e = static_cast<std::size_t>(sweep.edges_in.indptr[node]); e < end; ++e) {
        const Line<float64x8>* const from =
            sweep.labels + static_cast<std::size_t>(sweep.edges_in.indices[e]) * n_vectors;
        const double length = sweep.edges_in.weights[e];
        for (std::size_t i = 0; i < n_vectors; ++i) {
            const float64x8 longer = from[i].lanes + length;
            best[i] = longer < best[i] ? longer : best[i];
        }
    }
    const float64x8 none = unreachable<double> - float64x8{};
    uint64x8 changed{};
    for (std::size_t i = 0; i < n_vectors; ++i) {
        best[i] = best[i] <= sweep.cutoff ? best[i] : none;
        changed |= reinterpret_cast<uint64x8>(best[i]) ^ reinterpret_cast<uint64x8>(own[i].lanes);
        own[i].lanes = best[i];
    }
    return any(changed);
}

struct Work {
    std::size_t nodes = 0;
    std::size_t edges = 0;
};

// Words of `waiting` that are swept at a time: work is counted in between.
constexpr std::size_t words_at_once = 16;

// Pulls the nodes of some words that wait, in the order of their numbers or against it; those that
// begin to wait farther on the way are pulled by the same sweep.
template <bool forward>
GRAPHOPT_ALWAYS_INLINE Work sweep_words(const Sweep& sweep, std::size_t begin, std::size_t end) {
    Work work;
    const std::size_t n_words = sweep.waiting.size();
    for (std::size_t i = begin; i < end; ++i) {
        const std::size_t word = forward ? i : n_words - 1 - i;
        std::uint64_t ahead = ~std::uint64_t{0};
        while (const std::uint64_t now = sweep.waiting[word] & ahead) {
            const auto bit = static_cast<std::size_t>(forward ? std::countr_zero(now)
                                                              : bits - 1 - std::countl_zero(now));
            const std::uint64_t one = std::uint64_t{1} << bit;
            ahead = forward ? ~(one | (one - 1)) : one - 1;
            sweep.waiting[word] &= ~one;
            const std::size_t node = word * bits + bit;
            if (pull(sweep, node)) wait_behind(sweep, node);
            const auto edges = static_cast<std::size_t>(sweep.edges_in.indptr[node + 1] -
                                                        sweep.edges_in.indptr[node]);
            ++work.nodes;
            work.edges += edges;
        }
    }
    return work;
}

GRAPHOPT_MULTIVERSION_FN Work sweep_up(const Sweep& sweep, std::size_t begin, std::size_t end) {
    return sweep_words<true>(sweep, begin, end);
}
GRAPHOPT_MULTIVERSION_FN Work sweep_down(const Sweep& sweep, std::size_t begin, std::size_t end) {
    return sweep_words<false>(sweep, begin, end);
}

Work sweep_all(const Sweep& sweep, bool forward) {
    Work work;
    const std::size_t n_words = sweep.waiting.size();
    for (std::size_t begin = 0; begin < n_words; begin += words_at_once) {
        const std::size_t end = std::min(begin + words_at_once, n_words);
        const Work some = forward ? sweep_up(sweep, begin, end) : sweep_down(sweep, begin, end);
        work.nodes += some.nodes;
        work.edges += some.edges;
        count_work(16 * (some.nodes + 1) + 32 * some.edges);
    }
    return work;
}

}  // namespace

SweepSearch::SweepSearch(const Csr& edges_in, const Csr& edges_out)
    : edges_in_(edges_in),
      edges_out_(edges_out),
      waiting_((edges_in.indptr.size() - 1 + bits - 1) / bits) {
    counted_resize(labels_, (edges_in.indptr.size() - 1) * n_vectors);
}

bool SweepSearch::run(std::span<const NodeId> sources, double cutoff) {
    counted_fill(std::span(labels_), Line<float64x8>{unreachable<double> - float64x8{}});
    std::ranges::fill(waiting_, 0);
    const Sweep sweep{edges_in_, edges_out_, labels_.data(), waiting_, cutoff};
    for (std::size_t lane = 0; lane < sources.size(); ++lane) {
        const auto source = static_cast<std::size_t>(sources[lane]);
        labels_[source * n_vectors + lane / per_vector].lanes[lane % per_vector] = 0.0;
        wait_behind(sweep, source);
    }
    const std::size_t n_nodes = edges_in_.indptr.size() - 1;
    const std::size_t enough = max_rounds * (n_nodes + edges_in_.indices.size());
    bool forward = true;
    for (std::size_t spent = 0;; forward = !forward) {
        const Work work = sweep_all(sweep, forward);
        if (work.nodes == 0) return true;
        spent += work.nodes + work.edges + waiting_.size();
        if (spent > enough) return false;
    }
}

void SweepSearch::write(std::span<const NodeId> place, std::span<double* const> rows) const {
    constexpr std::size_t width = 8;  // nodes at a time: a cache line of each row
    for (std::size_t begin = 0; begin < place.size(); begin += width) {
        const std::size_t end = std::min(begin + width, place.size());
        count_work(4 * width * rows.size());
        for (std::size_t lane = 0; lane < rows.size(); ++lane) {
            for (std::size_t v = begin; v < end; ++v) {
                const auto node = static_cast<std::size_t>(place[v]);
                rows[lane][v] =
                    labels_[node * n_vectors + lane / per_vector].lanes[lane % per_vector];
            }
        }
    }
}

}  // namespace graphopt
