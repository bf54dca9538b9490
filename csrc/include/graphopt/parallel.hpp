// All parallelism of the library. Kernels say how their work splits into chunks; this header runs
// the chunks. Results must not depend on the number of threads, so a chunk's bounds depend on the
// problem only, and partial results are combined by the caller in chunk order.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#if defined(_OPENMP)
#include <omp.h>
#endif

#include "graphopt/simd.hpp"

namespace graphopt {

// Asked for now and then by long kernels, on the calling thread, outside every lock. May throw; the
// exception stops the region and reaches the caller. Null: never interrupted.
using InterruptCheck = void (*)();
void set_interrupt_check(InterruptCheck check) noexcept;
InterruptCheck interrupt_check() noexcept;

// True in a process forked from one that had loaded the library: its OpenMP threads are gone, so
// everything runs on the calling thread.
bool in_forked_child() noexcept;

// The number of threads a region will use for `n_chunks` pieces of work.
int usable_threads(int num_threads, std::size_t n_chunks) noexcept;

bool has_openmp() noexcept;

// Looks for an interrupt at most every 50 ms.
class InterruptPoll {
  public:
    void operator()() {
        const InterruptCheck check = interrupt_check();
        if (check == nullptr) return;
        const auto now = clock::now();
        if (now - last_ < std::chrono::milliseconds(50)) return;
        last_ = now;
        check();
    }

  private:
    using clock = std::chrono::steady_clock;
    clock::time_point last_ = clock::now();
};

// What the threads of a region share to pass on an exception: the one of the lowest piece of work.
class FirstError {
  public:
    bool stopped() const noexcept { return stopped_.load(std::memory_order_relaxed); }

    // In a handler.
    void keep(std::size_t piece) noexcept {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (!error_ || piece < piece_) {
            piece_ = piece;
            error_ = std::current_exception();
        }
        stopped_.store(true, std::memory_order_relaxed);
    }

    // After the region.
    void rethrow() const {
        if (error_) std::rethrow_exception(error_);
    }

  private:
    std::atomic<bool> stopped_{false};
    std::mutex mutex_;
    std::exception_ptr error_;
    std::size_t piece_ = 0;
};

// Calls body(chunk, worker) for every chunk in [0, n_chunks). `worker` in [0, usable_threads(...))
// names the calling thread's scratch space. Chunks are handed out in order, each to whichever
// thread is free. The first exception (lowest chunk) is rethrown here; later chunks may not run.
template <class Body>
void parallel_chunks(std::size_t n_chunks, int num_threads, Body&& body) {
    const int threads = usable_threads(num_threads, n_chunks);
    if (threads <= 1) {
        InterruptPoll poll;
        for (std::size_t chunk = 0; chunk < n_chunks; ++chunk) {
            poll();
            body(chunk, 0);
        }
        return;
    }
#if defined(_OPENMP)
    std::atomic<std::size_t> next{0};
    FirstError error;
#pragma omp parallel num_threads(threads) default(none) shared(next, error, body, n_chunks)
    {
        const int worker = omp_get_thread_num();
        InterruptPoll poll;
        while (!error.stopped()) {
            const std::size_t chunk = next.fetch_add(1, std::memory_order_relaxed);
            if (chunk >= n_chunks) break;
            try {
                if (worker == 0) poll();
                body(chunk, worker);
            } catch (...) {
                error.keep(chunk);
            }
        }
    }
    error.rethrow();
#endif
}

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

  private:
    int turns_ = 0;
};

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
        InterruptPoll poll;
        for (std::size_t round = 0; round < n_rounds; ++round) {
            for (std::size_t i = 0; i < n_chunks; ++i) {
                poll();
                body(round, there_and_back(round, i, n_chunks), 0);
            }
            finish(round);
        }
        return;
    }
#if defined(_OPENMP)
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
    FirstError error;
#pragma omp parallel num_threads(threads) default(none) \
    shared(shares, done, finished, error, body, finish, n_rounds, n_chunks, n_shares)
    {
        const int worker = omp_get_thread_num();
        InterruptPoll poll;
        for (std::size_t round = 0; round < n_rounds; ++round) {
            Spin spin;
            while (finished.load(std::memory_order_acquire) < round && !error.stopped()) spin();
            for (std::size_t i = 0; i < n_shares; ++i) {
                Share& share = shares[(static_cast<std::size_t>(worker) + i) % n_shares];
                std::size_t taken = share.taken.load(std::memory_order_relaxed);
                while (taken < (round + 1) * share.size && !error.stopped()) {
                    if (!share.taken.compare_exchange_weak(taken, taken + 1)) continue;
                    const std::size_t chunk =
                        share.begin + there_and_back(round, taken - round * share.size, share.size);
                    try {
                        if (worker == 0) poll();
                        body(round, chunk, worker);
                        if (done.fetch_add(1) + 1 == (round + 1) * n_chunks) {
                            finish(round);
                            finished.store(round + 1, std::memory_order_release);
                        }
                    } catch (...) {
                        error.keep(round * n_chunks + chunk);
                    }
                    taken = share.taken.load(std::memory_order_relaxed);
                }
            }
        }
    }
    error.rethrow();
#endif
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
