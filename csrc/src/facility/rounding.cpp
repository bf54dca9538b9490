#include "graphopt/facility/rounding.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "graphopt/support/parallel.hpp"
#include "graphopt/support/random.hpp"
#include "support/counted.hpp"

namespace graphopt {
namespace {

void shuffle(std::vector<std::int32_t>& items, SplitMix64& random) {
    WorkCounter count;
    for (std::size_t i = items.size(); i > 1; --i) {
        count(8);
        std::swap(items[i - 1], items[random.below(i)]);
    }
}

// Appends to `chosen` the fractional sites that win. `order` holds them, shuffled.
void exchange(std::span<const double> opening, const std::vector<std::int32_t>& order,
              double tolerance, SplitMix64& random, std::vector<std::int32_t>& chosen) {
    if (order.empty()) return;
    std::int32_t held = order.front();  // the one coordinate that may be fractional, with its mass
    double mass = opening[static_cast<std::size_t>(held)];
    WorkCounter count;
    for (std::size_t i = 1; i < order.size(); ++i) {
        count(8);
        const double other = opening[static_cast<std::size_t>(order[i])];
        const double total = mass + other;
        if (total <= 1.0) {  // one of them takes everything
            if (random.uniform() * total >= mass) held = order[i];
            mass = total;
        } else {  // one of them is full, the other keeps the rest
            const bool held_is_full = random.uniform() * (2.0 - total) < 1.0 - other;
            chosen.push_back(held_is_full ? held : order[i]);
            if (held_is_full) held = order[i];
            mass = total - 1.0;
        }
    }
    const bool integral = mass <= tolerance || mass >= 1.0 - tolerance;
    if (integral ? mass > 0.5 : random.uniform() < mass) chosen.push_back(held);
}

// Fills `chosen` up to n_chosen. `order`: all sites, shuffled.
void top_up(std::span<const double> opening, std::size_t n_chosen,
            const std::vector<std::int32_t>& order, std::vector<std::int32_t>& chosen) {
    struct Candidate {
        double opening;
        std::size_t place;  // in the random order
        std::int32_t site;
    };
    std::vector<bool> taken(opening.size(), false);
    for (const std::int32_t site : chosen) taken[static_cast<std::size_t>(site)] = true;
    std::vector<Candidate> rest;
    WorkCounter count;
    for (std::size_t place = 0; place < order.size(); ++place) {
        count(8);
        const auto site = static_cast<std::size_t>(order[place]);
        if (!taken[site]) rest.push_back({opening[site], place, order[place]});
    }
    const std::size_t missing = n_chosen - chosen.size();
    std::partial_sort(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(missing), rest.end(),
                      [&](const Candidate& a, const Candidate& b) {
                          count(2);
                          return a.opening > b.opening ||
                                 (a.opening == b.opening && a.place < b.place);
                      });
    for (std::size_t i = 0; i < missing; ++i) chosen.push_back(rest[i].site);
}

}  // namespace

void pipage_rounding(std::span<const double> opening, std::size_t n_chosen, std::size_t n_draws,
                     double tolerance, std::uint64_t seed, std::span<std::int32_t> draws,
                     int num_threads) {
    std::vector<std::int32_t> sure, fractional, all;
    for (std::size_t i = 0; i < opening.size(); ++i) {
        const auto site = static_cast<std::int32_t>(i);
        all.push_back(site);
        if (opening[i] == 1.0) {
            sure.push_back(site);
        } else if (opening[i] > 0.0) {
            fractional.push_back(site);
        }
    }
    parallel_chunks(n_draws, num_threads, [&](std::size_t draw, int) {
        SplitMix64 random(seed, draw);
        std::vector<std::int32_t> chosen = sure;
        std::vector<std::int32_t> order = fractional;
        shuffle(order, random);
        exchange(opening, order, tolerance, random, chosen);
        if (chosen.size() < n_chosen) {
            order = all;
            shuffle(order, random);
            top_up(opening, n_chosen, order, chosen);
        }
        WorkCounter count;
        std::sort(chosen.begin(), chosen.end(), [&](std::int32_t a, std::int32_t b) {
            count(2);
            return a < b;
        });
        count.hand_on();
        std::copy_n(chosen.begin(), n_chosen,
                    draws.begin() + static_cast<std::ptrdiff_t>(draw * n_chosen));
    });
}

}  // namespace graphopt
