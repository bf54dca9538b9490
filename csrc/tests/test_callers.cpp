// Regions of several callers at once, and callers that are interrupted. Under ThreadSanitizer, this
// and test_parallel show that the pool shares nothing without order.
#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#include "check.hpp"
#include "graphopt/parallel.hpp"

using namespace graphopt;

namespace {

constexpr std::size_t n_chunks = 20;

// Every thread writes what the caller reads afterwards, without a lock of its own.
void call_regions(std::size_t caller) {
    std::vector<std::size_t> sums(n_chunks, 0);
    for (std::size_t call = 1; call <= 30; ++call) {
        const int threads = static_cast<int>(1 + (caller + call) % 5);
        parallel_chunks(n_chunks, threads, [&](std::size_t chunk, int) { sums[chunk] += caller; });
        for (const std::size_t sum : sums) CHECK(sum == call * caller);
        std::size_t total = 0;
        parallel_rounds(
            3, n_chunks, threads,
            [&](std::size_t round, std::size_t chunk, int) { CHECK(sums[chunk] + round > 0); },
            [&](std::size_t round) { total += round; });
        CHECK(total == 3);
        CHECK_THROWS(parallel_chunks(n_chunks, threads,
                                     [&](std::size_t chunk, int) {
                                         if (chunk == call % n_chunks) throw call;
                                     }),
                     std::size_t);
    }
}

void callers_do_not_meet() {
    std::vector<std::thread> callers;
    for (std::size_t caller = 1; caller <= 4; ++caller) callers.emplace_back(call_regions, caller);
    for (std::thread& caller : callers) caller.join();
}

// Chunks that would never end: only the interrupt ends the region.
void an_interrupt_ends_all_threads() {
    set_interrupt_check([] { throw std::runtime_error("interrupted"); });
    for (const int threads : {1, 2, 4}) {
        const auto endless = [](std::size_t, int) {
            while (true) count_work(1000);
        };
        CHECK_THROWS(parallel_chunks(8, threads, endless), std::runtime_error);
    }
    set_interrupt_check(nullptr);
    callers_do_not_meet();
}

// The caller has nothing left to do and waits for another thread, which never ends by itself.
void an_interrupt_ends_the_wait_for_others() {
    if (startable_threads(1) == 0) return;
    set_interrupt_check([] { throw std::runtime_error("interrupted"); });
    std::atomic<int> started{0};
    const auto body = [&](std::size_t, int worker) {
        started.fetch_add(1);
        if (worker == 0) {
            while (started.load() < 2) std::this_thread::yield();
            return;
        }
        while (true) count_work(1000);
    };
    CHECK_THROWS(parallel_chunks(2, 2, body), std::runtime_error);
    set_interrupt_check(nullptr);
}

void startable_threads_are_counted() {
    CHECK(startable_threads(0) == 0);
    CHECK(startable_threads(3) <= 3);
}

}  // namespace

int main() {
    callers_do_not_meet();
    an_interrupt_ends_all_threads();
    an_interrupt_ends_the_wait_for_others();
    startable_threads_are_counted();
}
