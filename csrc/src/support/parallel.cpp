#include "graphopt/support/parallel.hpp"

#include <chrono>
#include <memory>

#include "openmp_runtime.hpp"
#include "thread_pool.hpp"

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif

namespace graphopt {
namespace {

// Threads do not survive a fork, in either runtime. The child gets a new pool of our own.
std::atomic<bool> in_forked_child{false};
std::atomic<bool> region_has_run{false};
std::atomic<ThreadPool*> pool{nullptr};

// GNU's runtime waits for ever for the threads that the child does not have, even if it is PyTorch
// that calls it there. So the parent's threads end first; they come back when they are needed. A
// process that has run no kernel is left as it is.
void before_fork() {
    constexpr int hard = 2;
    if (!region_has_run.load()) return;
    const OpenMPRuntime* const runtime = loaded_openmp();
    if (runtime != nullptr && runtime->pause_all != nullptr) runtime->pause_all(hard);
}

void after_fork_in_child() {
    in_forked_child.store(true);
    pool.store(nullptr);  // leaked: its threads are gone and its lock may be held
}

[[maybe_unused]] const bool fork_handlers_installed = [] {
#if defined(__unix__) || defined(__APPLE__)
    pthread_atfork(before_fork, nullptr, after_fork_in_child);
#endif
    return true;
}();

const OpenMPRuntime* usable_openmp() noexcept {
    return in_forked_child.load(std::memory_order_relaxed) ? nullptr : loaded_openmp();
}

ThreadPool* own_pool() noexcept {
    ThreadPool* found = pool.load(std::memory_order_acquire);
    if (found != nullptr) return found;
    std::unique_ptr<ThreadPool> created;
    try {
        created = std::make_unique<ThreadPool>();
    } catch (const std::exception&) {
        return nullptr;
    }
    if (pool.compare_exchange_strong(found, created.get())) return created.release();
    return found;
}

// An OpenMP runtime ends the process if it cannot start a thread. So we try first whether they can
// be started, once for each calling thread and number: the runtime keeps a team for each.
int proven_threads(int threads) noexcept {
    thread_local int proven = 1;
    if (threads > proven) proven = std::max(proven, 1 + startable_threads(threads - 1));
    return std::min(threads, proven);
}

void run_on_openmp(const OpenMPRuntime& runtime, int threads, TeamBody body, void* data) noexcept {
    struct Call {
        const OpenMPRuntime& runtime;
        TeamBody body;
        void* data;
    } call{runtime, body, data};
    runtime.parallel(
        [](void* given) {
            const Call& own = *static_cast<const Call*>(given);
            own.body(own.data, own.runtime.thread_num());
        },
        &call, static_cast<unsigned>(threads), 0);
}

bool in_region() noexcept { return detail::thread_state().stopped != nullptr; }

int most_threads() noexcept {
    static const int most =
        std::max(128, 4 * static_cast<int>(std::thread::hardware_concurrency()));
    return most;
}

}  // namespace

int usable_threads(int num_threads, std::size_t n_chunks) noexcept {
    if (num_threads <= 1 || n_chunks <= 1 || in_region()) return 1;
    const std::size_t wanted = std::min(static_cast<std::size_t>(num_threads), n_chunks);
    return static_cast<int>(std::min(wanted, static_cast<std::size_t>(most_threads())));
}

void run_team(int threads, TeamBody body, void* data) noexcept {
    region_has_run.store(true, std::memory_order_relaxed);
    if (const OpenMPRuntime* const runtime = usable_openmp()) {
        // Nested inside somebody's own region: the processors are taken already.
        const int team = runtime->in_parallel() != 0 ? 1 : proven_threads(threads);
        if (team > 1) return run_on_openmp(*runtime, team, body, data);
    } else if (ThreadPool* const own = own_pool()) {
        return own->run(threads, body, data);
    }
    body(data, 0);
}

int openmp_max_threads() noexcept {
    const OpenMPRuntime* const runtime = usable_openmp();
    return runtime == nullptr ? 0 : runtime->max_threads();
}

const char* openmp_path() noexcept {
    const OpenMPRuntime* const runtime = usable_openmp();
    return runtime == nullptr ? "" : runtime->path;
}

bool Region::look() noexcept {
    if (stopped()) return false;
    try {
        look_for_interrupt();
    } catch (const Stopped&) {
    } catch (...) {
        keep(0);
    }
    return !stopped();
}

void Region::keep(std::size_t piece) noexcept {
    const bool interrupt = detail::thread_state().interrupted;
    const std::lock_guard<std::mutex> lock(mutex_);
    if (interrupt || !error_ || (!interrupted_ && piece < piece_)) {
        piece_ = piece;
        error_ = std::current_exception();
        interrupted_ = interrupt;
    }
    stopped_.store(true, std::memory_order_relaxed);
}

void Region::enter(int worker) noexcept {
    working_.fetch_add(1);
    detail::ThreadState& state = detail::thread_state();
    if (worker == 0) outer_ = state;
    state = {&stopped_, worker != 0, false, state.work};
}

// The calling thread stays until the others are done, because only it may look for an interrupt.
void Region::leave(int worker) noexcept {
    detail::ThreadState& state = detail::thread_state();
    if (worker != 0) {
        state = {};
        if (working_.fetch_sub(1) == 1 && waiting_.load()) {
            const std::lock_guard<std::mutex> lock(mutex_);
            all_left_.notify_one();
        }
        return;
    }
    working_.fetch_sub(1);
    for (Spin spin; working_.load() > 0 && !spin.long_enough();) spin();
    if (working_.load() > 0 && interrupt_check() != nullptr) {
        waiting_.store(true);
        std::unique_lock<std::mutex> lock(mutex_);
        while (working_.load() > 0) {
            all_left_.wait_for(lock, std::chrono::milliseconds(50));
            lock.unlock();
            look();
            lock.lock();
        }
    }
    state = outer_;
}

}  // namespace graphopt
