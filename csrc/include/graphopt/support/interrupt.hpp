// How a long kernel hears that it shall stop: because the user interrupts it, or because another
// thread of its region has failed.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>

namespace graphopt {

// Asks whether the user wants to interrupt, by throwing. Called now and then, on the thread that
// called the kernel, outside every lock. Null: never interrupted.
using InterruptCheck = void (*)();
void set_interrupt_check(InterruptCheck check) noexcept;
InterruptCheck interrupt_check() noexcept;

// Thrown on the threads of a region of which another has failed; it never reaches the caller.
struct Stopped {};

namespace detail {

// What a thread knows of the region it works in.
struct ThreadState {
    const std::atomic<bool>* stopped = nullptr;  // null: outside every region
    bool helper = false;                         // not the thread that called the kernel
    bool interrupted = false;                    // the check has thrown here
    std::size_t work = 0;                        // since it looked last
};
ThreadState& thread_state() noexcept;

// About 4 ms of work.
inline constexpr std::size_t work_between_looks = std::size_t{1} << 22;

void look_after_work();

}  // namespace detail

// What this thread has counted since it was asked last, for tests: in all, and the most between two
// looks.
struct CountedWork {
    std::size_t total = 0;
    std::size_t most = 0;
};
CountedWork take_counted_work() noexcept;

// Throws if this thread shall stop. Asks the interrupt check at most every 50 ms.
void look_for_interrupt();

// To be called by kernels as they work, on any thread: a unit is about a nanosecond, such as an
// edge looked at, a few operations or 16 bytes read. Looks for an interrupt when enough has been
// done. A loop's share may be counted at once, up to some ten milliseconds.
inline void count_work(std::size_t units) {
    detail::ThreadState& state = detail::thread_state();
    state.work += units;
    if (state.work >= detail::work_between_looks) detail::look_after_work();
}

}  // namespace graphopt
