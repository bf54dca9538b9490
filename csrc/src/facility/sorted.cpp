// The facility objective on real distances: the same sums, along each customer's sorted sites.
#include <numeric>

#include "common.hpp"
#include "graphopt/facility/facility.hpp"

namespace graphopt {

using facility::Closed;
using facility::customers_per_chunk;
using facility::Partials;

void order_sites(std::span<const double> distances, std::size_t n_customers, std::size_t n_sites,
                 std::span<std::int32_t> order, int num_threads) {
    parallel_ranges(n_customers, 16, num_threads,
                    [&](std::size_t begin, std::size_t end, std::size_t, int) {
                        for (std::size_t j = begin; j < end; ++j) {
                            const auto row = distances.subspan(j * n_sites, n_sites);
                            const auto sites = order.subspan(j * n_sites, n_sites);
                            std::iota(sites.begin(), sites.end(), 0);
                            count_work(64 * n_sites);
                            std::sort(sites.begin(), sites.end(), [&](std::int32_t a, auto b) {
                                const double at_a = row[static_cast<std::size_t>(a)];
                                const double at_b = row[static_cast<std::size_t>(b)];
                                return at_a < at_b || (at_a == at_b && a < b);
                            });
                        }
                    });
}

template <class Real>
void expected_lengths(const LengthTable& lengths, std::span<const Real> opening,
                      std::span<Real> expected, int num_threads) {
    const Closed closed(opening);
    parallel_ranges(
        lengths.n_customers, customers_per_chunk(lengths.n_customers), num_threads,
        [&](std::size_t begin, std::size_t end, std::size_t, int) {
            for (std::size_t j = begin; j < end; ++j) {
                const double* const row = lengths.distances.data() + j * lengths.n_sites;
                double product = 1.0;  // that no site nearer than the next is open
                double previous = 0.0;
                count_work(4 * lengths.n_sites);
                double sum = 0.0;
                for (const std::int32_t entry :
                     lengths.order.subspan(j * lengths.n_sites, lengths.n_sites)) {
                    const auto site = static_cast<std::size_t>(entry);
                    if (product == 0.0 || row[site] >= lengths.charge) break;
                    sum += product * (row[site] - previous);
                    previous = row[site];
                    product *= opening[site] == Real{1} ? 0.0 : closed.keep[site];
                }
                expected[j] = static_cast<Real>(sum + product * (lengths.charge - previous));
            }
        });
}

template <class Real>
void expected_lengths_gradient(const LengthTable& lengths, std::span<const Real> opening,
                               std::span<const Real> upstream, std::span<Real> gradient,
                               int num_threads) {
    const Closed closed(opening);
    const std::size_t n = lengths.n_sites;
    Partials<Real> partials(lengths.n_customers, n);
    parallel_ranges(
        lengths.n_customers, customers_per_chunk(lengths.n_customers), num_threads,
        [&](std::size_t begin, std::size_t end, std::size_t index, int) {
            const std::span<Real> sums = partials.of_chunk(index);
            std::vector<double> terms(n);  // product up to the k-th site, times the gap behind it
            for (std::size_t j = begin; j < end; ++j) {
                const double* const row = lengths.distances.data() + j * n;
                const auto order = lengths.order.subspan(j * n, n);
                const auto at = [&](std::size_t k) { return static_cast<std::size_t>(order[k]); };
                double product = 1.0;  // without the first sure site, which is at `first_sure`
                std::size_t first_sure = n;
                std::size_t used = 0;
                count_work(8 * n);
                for (; used < n; ++used) {
                    const std::size_t site = at(used);
                    if (product == 0.0 || row[site] >= lengths.charge) break;
                    if (opening[site] == Real{1}) {
                        if (first_sure != n) break;
                        first_sure = used;
                    }
                    const double next = used + 1 < n ? row[at(used + 1)] : lengths.charge;
                    product *= closed.keep[site];
                    terms[used] = product * (std::min(next, lengths.charge) - row[site]);
                }
                double sum = 0.0;
                for (std::size_t k = used; k-- > 0;) {
                    sum += terms[k];
                    if (first_sure < k) continue;  // its own term reaches the sure site only
                    sums[at(k)] += upstream[j] * static_cast<Real>(sum);
                    if (k == first_sure) sum = 0.0;
                }
            }
        });
    for (std::size_t i = 0; i < n; ++i) {
        gradient[i] = static_cast<Real>(-partials.total(i) / closed.keep[i]);
    }
}

#define GRAPHOPT_INSTANTIATE(Real)                                                             \
    template void expected_lengths(const LengthTable&, std::span<const Real>, std::span<Real>, \
                                   int);                                                       \
    template void expected_lengths_gradient(const LengthTable&, std::span<const Real>,         \
                                            std::span<const Real>, std::span<Real>, int);
GRAPHOPT_INSTANTIATE(float)
GRAPHOPT_INSTANTIATE(double)
#undef GRAPHOPT_INSTANTIATE

}  // namespace graphopt
