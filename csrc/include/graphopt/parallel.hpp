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
#include <utility>

#if defined(_OPENMP)
#include <omp.h>
#endif

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
    std::atomic<bool> stop{false};
    std::exception_ptr first_error;
    std::size_t first_error_chunk = n_chunks;
    std::mutex error_mutex;
#pragma omp parallel num_threads(threads) default(none) \
    shared(next, stop, first_error, first_error_chunk, error_mutex, body, n_chunks)
    {
        const int worker = omp_get_thread_num();
        InterruptPoll poll;
        while (!stop.load(std::memory_order_relaxed)) {
            const std::size_t chunk = next.fetch_add(1, std::memory_order_relaxed);
            if (chunk >= n_chunks) break;
            try {
                if (worker == 0) poll();
                body(chunk, worker);
            } catch (...) {
                const std::lock_guard<std::mutex> lock(error_mutex);
                if (chunk < first_error_chunk) {
                    first_error_chunk = chunk;
                    first_error = std::current_exception();
                }
                stop.store(true, std::memory_order_relaxed);
            }
        }
    }
    if (first_error) std::rethrow_exception(first_error);
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
