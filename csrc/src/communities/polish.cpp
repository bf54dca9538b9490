#include "graphopt/communities/polish.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>
#include <vector>

#include "graphopt/support/parallel.hpp"
#include "graphopt/support/random.hpp"
#include "group_moves.hpp"

namespace graphopt {
namespace {

// More in one cycle find less than in the next one, whose levels are others.
constexpr std::size_t kicks_per_cycle = 100;

// Most nodes that a kick moves; more cost time and gain no more.
constexpr std::size_t farthest_reach = 8;

using Labels = std::vector<NodeId>;

std::size_t at(NodeId id) { return static_cast<std::size_t>(id); }

Level whole_graph(const CsrView& graph) {
    const std::size_t n = graph.n_nodes();
    Level level{counted_copy(graph.indptr), counted_copy(graph.indices),
                counted_copy(graph.weights), std::vector<double>(n)};
    if (!graph.weighted()) {
        counted_resize(level.weights, graph.n_entries());
        counted_fill(std::span(level.weights), 1.0);
    }
    WorkCounter count;
    for (std::size_t i = 0; i < n; ++i) {
        count(1 + graph.neighbours(i).size());
        for (std::size_t e = level.begin(i); e < level.end(i); ++e) {
            level.strengths[i] += level.weights[e];
        }
    }
    return level;
}

// Numbers labels in the order they are met; returns how many there are.
std::size_t renumber(std::span<NodeId> labels) {
    Labels number(at(*std::ranges::max_element(labels)) + 1, -1);
    NodeId count = 0;
    for (NodeId& label : labels) {
        NodeId& now = number[at(label)];
        if (now < 0) now = count++;
        label = now;
    }
    return at(count);
}

// The pair of labels of each node, numbered in the order they are met.
Labels overlap(std::span<const NodeId> a, std::span<const NodeId> b) {
    std::map<std::pair<NodeId, NodeId>, NodeId> number;
    Labels classes(a.size());
    counted_loop(a.size(), 256, [&](std::size_t i) {
        const auto next = static_cast<NodeId>(number.size());
        classes[i] = number.try_emplace({a[i], b[i]}, next).first->second;
    });
    return classes;
}

// Ever coarser levels of a graph, and a partition of the nodes of each.
class Hierarchy {
  public:
    // `labels`, those of the graph's nodes, are changed; both must outlive this.
    Hierarchy(const Level& graph, std::span<NodeId> labels) : graph_(graph), labels_(labels) {}

    std::size_t size() const { return coarser_.size() + 1; }
    const Level& level(std::size_t l) const { return l == 0 ? graph_ : coarser_[l - 1]; }
    std::span<NodeId> labels(std::size_t l) { return l == 0 ? labels_ : std::span(coarse_[l - 1]); }

    // Joins nodes of the coarsest level; those that become one have the same label.
    void add(Labels parent, std::size_t n_parents) {
        const std::size_t l = coarser_.size();
        Labels joined(n_parents);
        for (std::size_t i = 0; i < parent.size(); ++i) joined[at(parent[i])] = labels(l)[i];
        coarser_.push_back(contract(level(l), parent, n_parents));
        coarse_.push_back(std::move(joined));
        parents_.push_back(std::move(parent));
    }

    // Gives the nodes of a level the labels of the next coarser one.
    void hand_down(std::size_t l) {
        const std::span<NodeId> fine = labels(l);
        for (std::size_t i = 0; i < fine.size(); ++i) fine[i] = coarse_[l][at(parents_[l][i])];
    }

  private:
    const Level& graph_;
    std::span<NodeId> labels_;
    std::vector<Level> coarser_;
    std::vector<Labels> coarse_, parents_;
};

class Search {
  public:
    Search(const Level& graph, double total, const PolishOptions& options)
        : graph_(graph),
          options_(options),
          between_{total, options.resolution, options.keep_all, true},
          inside_{total, options.resolution, false, false} {}

    void polish(std::span<NodeId> labels, SplitMix64& random) {
        GroupMoves(graph_, labels, options_.n_groups, between_, {}).settle_all(random);
        std::size_t left = options_.perturbations;
        do {
            const std::size_t kicks = std::min(left, kicks_per_cycle);
            Hierarchy levels(graph_, labels);
            add_communities(levels, Labels(labels.begin(), labels.end()), random);
            descend(levels, kicks, random);
            left -= kicks;
        } while (left > 0);
    }

    // Moves what both partitions keep together, first as a whole.
    void combine(std::span<NodeId> labels, std::span<const NodeId> other, SplitMix64& random) {
        Hierarchy levels(graph_, labels);
        Labels classes = add_communities(levels, overlap(labels, other), random);
        const std::size_t n_before = classes.size(), n_classes = renumber(classes);
        if (n_classes < n_before) levels.add(std::move(classes), n_classes);
        descend(levels, std::min(options_.perturbations, kicks_per_cycle), random);
    }

    double modularity(std::span<const NodeId> labels) const {
        std::vector<double> volumes(options_.n_groups);
        double inside = 0.0, expected = 0.0;
        WorkCounter count;
        for (std::size_t i = 0; i < graph_.n_nodes(); ++i) {
            count(4 + 4 * (graph_.end(i) - graph_.begin(i)));
            volumes[at(labels[i])] += graph_.strengths[i];
            for (std::size_t e = graph_.begin(i); e < graph_.end(i); ++e) {
                if (labels[i] == labels[at(graph_.indices[e])]) inside += graph_.weights[e];
            }
        }
        for (const double volume : volumes) expected += volume * volume;
        return (inside - options_.resolution * expected / between_.total) / between_.total;
    }

  private:
    // Adds levels whose nodes are communities within classes; returns the classes of the coarsest.
    Labels add_communities(Hierarchy& levels, Labels classes, SplitMix64& random) {
        for (;;) {
            const Level& coarsest = levels.level(levels.size() - 1);
            Labels parent(coarsest.n_nodes());
            std::iota(parent.begin(), parent.end(), NodeId{0});
            GroupMoves(coarsest, parent, parent.size(), inside_, classes).settle_all(random);
            const std::size_t n_parents = renumber(parent);
            if (n_parents == parent.size()) return classes;
            Labels of_parents(n_parents);
            for (std::size_t i = 0; i < parent.size(); ++i) of_parents[at(parent[i])] = classes[i];
            classes = std::move(of_parents);
            levels.add(std::move(parent), n_parents);
        }
    }

    // From the coarsest level to the nodes of the graph.
    void descend(Hierarchy& levels, std::size_t kicks, SplitMix64& random) {
        for (std::size_t l = levels.size(); l-- > 0;) {
            if (l + 1 < levels.size()) levels.hand_down(l);
            const std::span<NodeId> labels = levels.labels(l);
            GroupMoves moves(levels.level(l), labels, options_.n_groups, between_, {});
            moves.settle_all(random);
            const std::size_t half = labels.size() / (2 * options_.n_groups);  // of a mean group
            const std::size_t reach = std::clamp(half, std::size_t{2}, farthest_reach);
            for (std::size_t i = 0; i < kicks; ++i) moves.kick(reach, random);
        }
    }

    const Level& graph_;
    PolishOptions options_;
    MoveRule between_, inside_;
};

}  // namespace

void polish(const CsrView& graph, std::span<const NodeId> starts, std::size_t n_starts,
            const PolishOptions& options, std::span<NodeId> labels, int num_threads) {
    const std::size_t n = graph.n_nodes();
    const Level level = whole_graph(graph);
    const double total = std::accumulate(level.strengths.begin(), level.strengths.end(), 0.0);
    if (!(total > 0.0)) {
        std::copy_n(starts.begin(), n, labels.begin());
        return;
    }
    Labels found(starts.begin(), starts.end());
    const auto row = [&](std::size_t start) { return std::span(found).subspan(start * n, n); };
    std::vector<double> reached(n_starts);
    parallel_chunks(n_starts, num_threads, [&](std::size_t start, int) {
        Search search(level, total, options);
        SplitMix64 random(options.seed, start);
        search.polish(row(start), random);
        reached[start] = search.modularity(row(start));
    });
    std::vector<std::size_t> order(n_starts);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order,
                             [&](std::size_t a, std::size_t b) { return reached[a] > reached[b]; });
    std::ranges::copy(row(order[0]), labels.begin());
    Search search(level, total, options);
    SplitMix64 random(options.seed, n_starts);
    for (std::size_t i = 1; i < n_starts; ++i) search.combine(labels, row(order[i]), random);
}

}  // namespace graphopt
