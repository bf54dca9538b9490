#include "group_moves.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace graphopt {
namespace {

constexpr double rounding = 1e-12;  // of modularity

// One kick in so many goes to any group, adjacent or not, empty or not.
constexpr std::size_t far_kicks = 8;

std::size_t at(NodeId id) { return static_cast<std::size_t>(id); }

}  // namespace

Level contract(const Level& level, std::span<const NodeId> parent, std::size_t n_parents) {
    const std::size_t n = level.n_nodes();
    std::vector<std::size_t> first(n_parents + 1);
    for (std::size_t i = 0; i < n; ++i) ++first[at(parent[i]) + 1];
    std::partial_sum(first.begin(), first.end(), first.begin());
    std::vector<std::size_t> members(n);
    std::vector<std::size_t> next(first.begin(), first.end() - 1);
    for (std::size_t i = 0; i < n; ++i) members[next[at(parent[i])]++] = i;

    Level coarse;
    coarse.strengths.resize(n_parents);
    coarse.indptr.push_back(0);
    std::vector<double> links(n_parents);
    std::vector<std::uint8_t> seen(n_parents);
    std::vector<NodeId> met;
    WorkCounter count;
    for (std::size_t p = 0; p < n_parents; ++p) {
        for (std::size_t m = first[p]; m < first[p + 1]; ++m) {
            const std::size_t i = members[m];
            count(8 + 8 * (level.end(i) - level.begin(i)));
            coarse.strengths[p] += level.strengths[i];
            for (std::size_t e = level.begin(i); e < level.end(i); ++e) {
                const NodeId other = parent[at(level.indices[e])];
                if (at(other) == p) continue;
                if (!seen[at(other)]) {
                    seen[at(other)] = 1;
                    links[at(other)] = 0.0;
                    met.push_back(other);
                }
                links[at(other)] += level.weights[e];
            }
        }
        std::ranges::sort(met);
        for (const NodeId other : met) {
            coarse.indices.push_back(other);
            coarse.weights.push_back(links[at(other)]);
            seen[at(other)] = 0;
        }
        met.clear();
        coarse.indptr.push_back(static_cast<EdgeOffset>(coarse.indices.size()));
    }
    return coarse;
}

GroupMoves::GroupMoves(const Level& level, std::span<NodeId> labels, std::size_t n_groups,
                       const MoveRule& rule, std::span<const NodeId> within)
    : level_(level),
      labels_(labels),
      n_groups_(n_groups),
      rule_(rule),
      within_(within),
      least_(rounding * rule.total * rule.total / 2.0),
      volumes_(n_groups),
      sizes_(n_groups),
      links_(n_groups),
      seen_(n_groups),
      queue_(level.n_nodes()),
      queued_(level.n_nodes()),
      marked_(level.n_nodes()) {
    for (std::size_t i = 0; i < level.n_nodes(); ++i) {
        volumes_[at(labels[i])] += level.strengths[i];
        ++sizes_[at(labels[i])];
        if (level.strengths[i] > 0.0) movable_.push_back(i);
    }
}

void GroupMoves::settle_all(SplitMix64& random) {
    std::vector<std::size_t> order = movable_;
    count_(16 * order.size());
    for (std::size_t left = order.size(); left > 1; --left) {
        std::swap(order[left - 1], order[random.below(left)]);
    }
    for (const std::size_t i : order) push(i);
    settle();
}

void GroupMoves::kick(std::size_t reach, SplitMix64& random) {
    if (movable_.empty() || n_groups_ < 2) return;
    count_(64);
    const std::size_t start = movable_[random.below(movable_.size())];
    const NodeId own = labels_[start];
    grow_region(start, 1 + random.below(reach), random);
    const NodeId target = choose_target(own, random);
    const bool whole = rule_.keep_all && region_.size() == sizes_[at(own)];
    if (whole && sizes_[at(target)] == 0) return;
    logging_ = true;
    double gained = 0.0;
    for (const std::size_t i : region_) gained += move(i, target);
    if (whole) gained += refill(own, random);
    // Those around come first: else the region would go straight back.
    for (const std::size_t i : region_) {
        for (std::size_t e = level_.begin(i); e < level_.end(i); ++e) {
            const auto j = at(level_.indices[e]);
            if (labels_[j] != target) push(j);
        }
    }
    for (const std::size_t i : region_) push(i);
    gained += settle();
    logging_ = false;
    if (gained <= least_) undo();
    changes_.clear();
}

// By a node that is not the last of its own group; those that have just left it are such.
double GroupMoves::refill(NodeId group, SplitMix64& random) {
    std::size_t pick = random.below(movable_.size());
    while (sizes_[at(labels_[movable_[pick]])] < 2) pick = (pick + 1) % movable_.size();
    region_.push_back(movable_[pick]);
    return move(region_.back(), group);
}

double GroupMoves::move(std::size_t i, NodeId to) {
    find_links(i);
    const double gains = gain(i, to);
    forget_links();
    change(i, to);
    return gains;
}

void GroupMoves::grow_region(std::size_t start, std::size_t wanted, SplitMix64& random) {
    const NodeId own = labels_[start];
    region_.clear();
    frontier_.assign(1, start);
    marked_[start] = 1;
    while (!frontier_.empty() && region_.size() < wanted) {
        std::swap(frontier_[random.below(frontier_.size())], frontier_.back());
        const std::size_t i = frontier_.back();
        frontier_.pop_back();
        region_.push_back(i);
        for (std::size_t e = level_.begin(i); e < level_.end(i); ++e) {
            const auto j = at(level_.indices[e]);
            if (labels_[j] != own || marked_[j]) continue;
            marked_[j] = 1;
            frontier_.push_back(j);
        }
    }
    for (const std::size_t i : region_) marked_[i] = 0;
    for (const std::size_t i : frontier_) marked_[i] = 0;
}

NodeId GroupMoves::choose_target(NodeId own, SplitMix64& random) {
    for (const std::size_t i : region_) find_links(i);
    std::erase(met_, own);
    seen_[at(own)] = 0;
    NodeId target = 0;
    if (met_.empty() || random.below(far_kicks) == 0) {
        const auto other = static_cast<NodeId>(random.below(n_groups_ - 1));
        target = other < own ? other : other + 1;
    } else {
        target = met_[random.below(met_.size())];
    }
    forget_links();
    return target;
}

void GroupMoves::find_links(std::size_t i) {
    count_(8 + 8 * (level_.end(i) - level_.begin(i)));
    for (std::size_t e = level_.begin(i); e < level_.end(i); ++e) {
        const auto j = at(level_.indices[e]);
        if (!within_.empty() && within_[j] != within_[i]) continue;
        const NodeId group = labels_[j];
        if (!seen_[at(group)]) {
            seen_[at(group)] = 1;
            links_[at(group)] = 0.0;
            met_.push_back(group);
        }
        links_[at(group)] += level_.weights[e];
    }
}

void GroupMoves::forget_links() {
    for (const NodeId group : met_) seen_[at(group)] = 0;
    met_.clear();
}

double GroupMoves::stay(std::size_t i) const {
    const NodeId own = labels_[i];
    const double pull = rule_.resolution * level_.strengths[i];
    return link(own) * rule_.total - pull * (volumes_[at(own)] - level_.strengths[i]);
}

double GroupMoves::gain(std::size_t i, NodeId to) const {
    const double pull = rule_.resolution * level_.strengths[i];
    return link(to) * rule_.total - pull * volumes_[at(to)] - stay(i);
}

NodeId GroupMoves::best_group(std::size_t i, double& gained) {
    const NodeId own = labels_[i];
    NodeId best = own;
    double most = least_;
    const auto consider = [&](NodeId group) {
        if (group == own) return;
        const double gains = gain(i, group);
        if (gains > most || (gains == most && best != own && group < best)) {
            most = gains;
            best = group;
        }
    };
    if (rule_.keep_all && sizes_[at(own)] == 1) return own;
    find_links(i);
    for (const NodeId group : met_) consider(group);
    // Without a link, a group is worse than none at all, which only a bad own group is too.
    if (rule_.leap && stay(i) < 0.0) {
        count_(n_groups_);
        std::size_t smallest = own == 0 && n_groups_ > 1 ? 1 : 0;
        for (std::size_t g = smallest + 1; g < n_groups_; ++g) {
            if (volumes_[g] < volumes_[smallest] && g != at(own)) smallest = g;
        }
        consider(static_cast<NodeId>(smallest));
    }
    forget_links();
    if (best != own) gained += most;
    return best;
}

void GroupMoves::change(std::size_t i, NodeId to) {
    const NodeId from = labels_[i];
    if (logging_) changes_.push_back({i, from, volumes_[at(from)], volumes_[at(to)]});
    labels_[i] = to;
    volumes_[at(from)] -= level_.strengths[i];
    volumes_[at(to)] += level_.strengths[i];
    --sizes_[at(from)];
    ++sizes_[at(to)];
}

void GroupMoves::undo() {
    for (auto last = changes_.rbegin(); last != changes_.rend(); ++last) {
        const NodeId to = labels_[last->node];
        labels_[last->node] = last->from;
        volumes_[at(last->from)] = last->from_volume;
        volumes_[at(to)] = last->to_volume;
        ++sizes_[at(last->from)];
        --sizes_[at(to)];
    }
}

void GroupMoves::push(std::size_t i) {
    if (queued_[i]) return;
    queued_[i] = 1;
    queue_[(head_ + waiting_++) % queue_.size()] = i;
}

double GroupMoves::settle() {
    double gained = 0.0;
    while (waiting_ > 0) {
        const std::size_t i = queue_[head_];
        head_ = head_ + 1 == queue_.size() ? 0 : head_ + 1;
        --waiting_;
        queued_[i] = 0;
        const NodeId to = best_group(i, gained);
        if (to == labels_[i]) continue;
        change(i, to);
        count_(4 * (level_.end(i) - level_.begin(i)));
        for (std::size_t e = level_.begin(i); e < level_.end(i); ++e) {
            const auto j = at(level_.indices[e]);
            if (labels_[j] != to && (within_.empty() || within_[j] == within_[i])) push(j);
        }
    }
    return gained;
}

}  // namespace graphopt
