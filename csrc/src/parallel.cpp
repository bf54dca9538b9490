#include "graphopt/parallel.hpp"

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif

namespace graphopt {
namespace {

std::atomic<InterruptCheck> current_check{nullptr};
std::atomic<bool> forked{false};

// Registered once, when the library is loaded.
[[maybe_unused]] const bool fork_handler_installed = [] {
#if defined(__unix__) || defined(__APPLE__)
    pthread_atfork(nullptr, nullptr, [] { forked.store(true, std::memory_order_relaxed); });
#endif
    return true;
}();

}  // namespace

void set_interrupt_check(InterruptCheck check) noexcept {
    current_check.store(check, std::memory_order_relaxed);
}

InterruptCheck interrupt_check() noexcept { return current_check.load(std::memory_order_relaxed); }

bool in_forked_child() noexcept { return forked.load(std::memory_order_relaxed); }

bool has_openmp() noexcept {
#if defined(_OPENMP)
    return true;
#else
    return false;
#endif
}

int usable_threads(int num_threads, std::size_t n_chunks) noexcept {
    if (!has_openmp() || in_forked_child() || num_threads < 1) return 1;
#if defined(_OPENMP)
    // Nested inside somebody's own region: the cores are taken already.
    if (omp_in_parallel()) return 1;
#endif
    const std::size_t wanted = std::min(static_cast<std::size_t>(num_threads), n_chunks);
    return static_cast<int>(std::max<std::size_t>(wanted, 1));
}

}  // namespace graphopt
