#include "thread_pool.hpp"

#include <system_error>
#include <thread>
#include <vector>

#if defined(__unix__) || defined(__APPLE__)
#include <csignal>
#endif

namespace graphopt {
namespace {

// How long a thread spins before it sleeps: about 100 microseconds.
constexpr int turns = 4000;

// Signals go to the threads that were there before, which know what to do with them.
class SignalsBlocked {
  public:
#if defined(__unix__) || defined(__APPLE__)
    SignalsBlocked() noexcept {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;

  private:
    sigset_t before_;
#endif
};

}  // namespace

void ThreadPool::start_threads(int wanted) noexcept {
    const SignalsBlocked inherited;
    try {
        for (; wanted > 0; --wanted) {
            std::thread([this] { serve(); }).detach();
            ++idle_;
        }
    } catch (const std::exception&) {  // no more threads, or no memory for them: fewer will do
    }
}

void ThreadPool::run(int threads, TeamBody body, void* data) noexcept {
    Job job(body, data, threads - 1);
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        const int busy_soon = unclaimed_.load(std::memory_order_relaxed);
        start_threads(job.unclaimed - std::max(idle_ - busy_soon, 0));
        job.next = jobs_;
        jobs_ = &job;
        unclaimed_.fetch_add(job.unclaimed, std::memory_order_release);
    }
    if (threads == 2) {
        job_added_.notify_one();
    } else {
        job_added_.notify_all();
    }
    body(data, 0);

    {
        // Places that no thread has taken so far are not needed: the work is done.
        const std::lock_guard<std::mutex> lock(mutex_);
        if (job.unclaimed > 0) withdraw(job);
    }
    // Most often the others are done within a microsecond.
    for (int i = 0; i < turns && job.running.load(std::memory_order_acquire) > 0; ++i) {
        relax_processor();
    }
    if (job.running.load(std::memory_order_acquire) == 0) return;
    std::unique_lock<std::mutex> lock(mutex_);
    while (job.running.load(std::memory_order_acquire) > 0) job_done_.wait(lock);
}

void ThreadPool::withdraw(Job& job) noexcept {
    unclaimed_.fetch_sub(job.unclaimed, std::memory_order_relaxed);
    job.unclaimed = 0;
    Job** link = &jobs_;
    while (*link != &job) link = &(*link)->next;
    *link = job.next;
}

ThreadPool::Job& ThreadPool::first_claimed(int& worker) noexcept {
    Job& job = *jobs_;
    unclaimed_.fetch_sub(1, std::memory_order_relaxed);
    if (--job.unclaimed == 0) jobs_ = job.next;
    worker = ++job.last_worker;
    job.running.fetch_add(1, std::memory_order_relaxed);
    return job;
}

// Spins before it sleeps: kernels often follow each other within microseconds.
void ThreadPool::await_job(std::unique_lock<std::mutex>& lock) {
    lock.unlock();
    for (int i = 0; i < turns && unclaimed_.load(std::memory_order_relaxed) == 0; ++i) {
        relax_processor();
    }
    lock.lock();
    while (jobs_ == nullptr) job_added_.wait(lock);
}

void ThreadPool::serve() noexcept {
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
        await_job(lock);
        --idle_;
        int worker = 0;
        Job& job = first_claimed(worker);
        lock.unlock();
        job.body(job.data, worker);
        lock.lock();
        ++idle_;
        // The job is gone as soon as nobody runs it.
        if (job.running.fetch_sub(1, std::memory_order_release) == 1) job_done_.notify_all();
    }
}

int startable_threads(int wanted) noexcept {
    std::atomic<bool> release{false};
    std::vector<std::thread> started;
    const SignalsBlocked inherited;
    try {
        started.reserve(static_cast<std::size_t>(wanted));
        while (static_cast<int>(started.size()) < wanted) {
            started.emplace_back([&release] { release.wait(false); });
        }
    } catch (const std::exception&) {  // that many, then
    }
    release.store(true);
    release.notify_all();
    for (std::thread& thread : started) thread.join();
    return static_cast<int>(started.size());
}

}  // namespace graphopt
