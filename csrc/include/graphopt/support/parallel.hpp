// All parallelism of the library. Kernels say how their work splits into chunks; this header runs
// the chunks. Results must not depend on the number of threads, so a chunk's bounds depend on the
// problem only, and partial results are combined by the caller in chunk order.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "graphopt/support/interrupt.hpp"
#include "graphopt/support/simd.hpp"

namespace graphopt {

// The largest number of threads a region will use for `n_chunks` pieces of work. 1 within a region.
int usable_threads(int num_threads, std::size_t n_chunks) noexcept;

// Calls body(data, worker) on up to `threads` threads at once and returns when all have returned.
// The calling thread is worker 0. Where threads cannot be started, there are fewer. `body` must not
// throw.
using TeamBody = void (*)(void* data, int worker);
void run_team(int threads, TeamBody body, void* data) noexcept;

// What omp_get_max_threads() says in the runtime that regions run on; 0 without one.
int openmp_max_threads() noexcept;

// The file of that runtime; "" without one.
const char* openmp_path() noexcept;

// How many threads can be started now beside the calling one, at most `wanted`.
int startable_threads(int wanted) noexcept;

// Waits a moment for another thread, and longer each time.
class Spin {
  public:
    void operator()() noexcept {
        if (++turns_ > 4000) {
            std::this_thread::yield();  // more threads than processors, perhaps
            return;
        }
        relax_processor();
    }

    bool long_enough() const noexcept { return turns_ > 4000; }

  private:
    int turns_ = 0;
};

// Work done by several threads at once. An exception on one stops the others; the one of the lowest
// piece of work reaches the caller, but an interrupt comes first.
class Region {
  public:
    Region() = default;
    Region(const Region&) = delete;
    Region& operator=(const Region&) = delete;

    bool stopped() const noexcept { return stopped_.load(std::memory_order_relaxed); }

    // Calls work(worker) on up to `threads` threads; it does its pieces by attempt().
    template <class Work>
    void run(int threads, Work&& work) {
        struct Call {
            Region& region;
            Work& work;
        } call{*this, work};
        run_team(
            threads,
            [](void* data, int worker) {
                auto& [region, task] = *static_cast<Call*>(data);
                region.enter(worker);
                task(worker);
                region.leave(worker);
            },
            &call);
        if (error_) std::rethrow_exception(error_);
    }

    // Does one piece of work: body(). Numbers of pieces order their exceptions.
    template <class Body>
    void attempt(std::size_t piece, int worker, Body&& body) noexcept {
        if (worker == 0 && !look()) return;
        try {
            body();
        } catch (const Stopped&) {
        } catch (...) {
            keep(piece);
        }
    }

    // On worker 0: keeps an interrupt, if there is one, and returns whether work shall go on.
    bool look() noexcept;

  private:
    void enter(int worker) noexcept;
    void leave(int worker) noexcept;
    void keep(std::size_t piece) noexcept;  // in a handler

    std::atomic<bool> stopped_{false};
    std::mutex mutex_;
    std::exception_ptr error_;
    std::size_t piece_ = 0;
    bool interrupted_ = false;

    // Worker 0 waits for the others here, where it can look for an interrupt.
    std::atomic<int> working_{0};
    std::atomic<bool> waiting_{false};
    std::condition_variable all_left_;
    detail::ThreadState outer_;
};

// Calls body(chunk, worker) for every chunk in [0, n_chunks). `worker` in [0, usable_threads(...))
// names the calling thread's scratch space. Chunks are handed out in order, each to whichever
// thread is free. The first exception (lowest chunk) is rethrown here; later chunks may not run.
template <class Body>
void parallel_chunks(std::size_t n_chunks, int num_threads, Body&& body) {
    const int threads = usable_threads(num_threads, n_chunks);
    if (threads <= 1) {
        for (std::size_t chunk = 0; chunk < n_chunks; ++chunk) {
            look_for_interrupt();
            body(chunk, 0);
        }
        return;
    }
    std::atomic<std::size_t> next{0};
    Region region;
    region.run(threads, [&](int worker) {
        while (!region.stopped()) {
            const std::size_t chunk = next.fetch_add(1, std::memory_order_relaxed);
            if (chunk >= n_chunks) break;
            region.attempt(chunk, worker, [&] { body(chunk, worker); });
        }
    });
}

// The i-th of n pieces in a round: the last comes first in every other one.
inline std::size_t there_and_back(std::size_t round, std::size_t i, std::size_t n) noexcept {
    return round % 2 == 0 ? i : n - 1 - i;
}

// The piece that usually follows piece i; the last is the first of the next round.
inline std::size_t there_and_back_next(std::size_t round, std::size_t i, std::size_t n) noexcept {
    if (round % 2 == 0) return i + 1 < n ? i + 1 : i;
    return i > 0 ? i - 1 : i;
}

// Rounds of the same chunks, each needing the whole of the one before: calls body(round, chunk,
// worker) for every chunk, then finish(round) on one thread, then goes on to the next round. One
// region for all rounds, so a round costs far less than parallel_chunks. A worker begins with the
// same chunks in each round and then helps the others; it goes through them forwards and backwards
// in turn, so that a round begins with the data that the cache holds from the end of the last.
template <class Body, class Finish>
void parallel_rounds(std::size_t n_rounds, std::size_t n_chunks, int num_threads, Body&& body,
                     Finish&& finish) {
    const int threads = usable_threads(num_threads, n_chunks);
    if (threads <= 1) {
        for (std::size_t round = 0; round < n_rounds; ++round) {
            for (std::size_t i = 0; i < n_chunks; ++i) {
                look_for_interrupt();
                body(round, there_and_back(round, i, n_chunks), 0);
            }
            finish(round);
        }
        return;
    }
    // The chunks of one worker, and how many of them were taken in all rounds together.
    struct alignas(64) Share {
        std::size_t begin = 0;
        std::size_t size = 0;
        std::atomic<std::size_t> taken{0};
    };
    const auto n_shares = static_cast<std::size_t>(threads);
    std::vector<Share> shares(n_shares);
    for (std::size_t i = 0; i < n_shares; ++i) {
        shares[i].begin = i * n_chunks / n_shares;
        shares[i].size = (i + 1) * n_chunks / n_shares - shares[i].begin;
    }
    std::atomic<std::size_t> done{0};      // chunks, in all rounds together
    std::atomic<std::size_t> finished{0};  // rounds
    Region region;
    region.run(threads, [&](int worker) {
        for (std::size_t round = 0; round < n_rounds && !region.stopped(); ++round) {
            Spin spin;
            while (finished.load(std::memory_order_acquire) < round && !region.stopped()) {
                spin();
                if (worker == 0 && spin.long_enough()) region.look();
            }
            for (std::size_t i = 0; i < n_shares; ++i) {
                Share& share = shares[(static_cast<std::size_t>(worker) + i) % n_shares];
                std::size_t taken = share.taken.load(std::memory_order_relaxed);
                while (taken < (round + 1) * share.size && !region.stopped()) {
                    if (!share.taken.compare_exchange_weak(taken, taken + 1)) continue;
                    const std::size_t chunk =
                        share.begin + there_and_back(round, taken - round * share.size, share.size);
                    region.attempt(round * n_chunks + chunk, worker, [&] {
                        body(round, chunk, worker);
                        if (done.fetch_add(1) + 1 == (round + 1) * n_chunks) {
                            finish(round);
                            finished.store(round + 1, std::memory_order_release);
                        }
                    });
                    taken = share.taken.load(std::memory_order_relaxed);
                }
            }
        }
    });
}

inline std::size_t chunk_count(std::size_t n_items, std::size_t chunk_size) noexcept {
    return (n_items + chunk_size - 1) / chunk_size;
}

// Calls body(begin, end, chunk, worker) for consecutive ranges of `chunk_size` items.
template <class Body>
void parallel_ranges(std::size_t n_items, std::size_t chunk_size, int num_threads, Body&& body) {
    parallel_chunks(chunk_count(n_items, chunk_size), num_threads,
                    [&](std::size_t chunk, int worker) {
                        const std::size_t begin = chunk * chunk_size;
                        body(begin, std::min(begin + chunk_size, n_items), chunk, worker);
                    });
}

}  // namespace graphopt
