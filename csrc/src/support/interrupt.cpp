#include "graphopt/support/interrupt.hpp"

#include <algorithm>
#include <utility>

namespace graphopt {
namespace {

std::atomic<InterruptCheck> current_check{nullptr};

using Clock = std::chrono::steady_clock;
constexpr Clock::duration between_checks = std::chrono::milliseconds(50);

// Over all kernels that the thread calls: many short ones in a row are one long one to the user.
thread_local Clock::time_point last_check{};

thread_local CountedWork counted;

}  // namespace

namespace detail {

ThreadState& thread_state() noexcept {
    static thread_local ThreadState state;
    return state;
}

void look_after_work() {
    const std::size_t work = std::exchange(thread_state().work, 0);
    counted.total += work;
    counted.most = std::max(counted.most, work);
    look_for_interrupt();
}

}  // namespace detail

CountedWork take_counted_work() noexcept {
    const std::size_t left = std::exchange(detail::thread_state().work, 0);
    const CountedWork taken = std::exchange(counted, {});
    return {taken.total + left, std::max(taken.most, left)};
}

void set_interrupt_check(InterruptCheck check) noexcept {
    current_check.store(check, std::memory_order_relaxed);
}

InterruptCheck interrupt_check() noexcept { return current_check.load(std::memory_order_relaxed); }

void look_for_interrupt() {
    detail::ThreadState& state = detail::thread_state();
    if (state.stopped != nullptr && state.stopped->load(std::memory_order_relaxed)) {
        throw Stopped{};
    }
    if (state.helper) return;
    const InterruptCheck check = interrupt_check();
    if (check == nullptr) return;
    const Clock::time_point now = Clock::now();
    if (now - last_check < between_checks) return;
    last_check = now;
    try {
        check();
    } catch (...) {
        state.interrupted = true;
        throw;
    }
}

}  // namespace graphopt
