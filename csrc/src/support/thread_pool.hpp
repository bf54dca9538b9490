// Threads of our own, for processes that have loaded no OpenMP runtime.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "graphopt/support/parallel.hpp"

namespace graphopt {

// Started when they are first needed, and kept. Several callers may use the pool at once.
class ThreadPool {
  public:
    // See run_team.
    void run(int threads, TeamBody body, void* data) noexcept;

  private:
    // A call of run: what is to be done, and by how many more threads.
    struct Job {
        Job(TeamBody work, void* its_data, int places)
            : body(work), data(its_data), unclaimed(places) {}

        TeamBody body;
        void* data;
        int unclaimed;
        int last_worker = 0;
        std::atomic<int> running{0};
        Job* next = nullptr;
    };

    void start_threads(int wanted) noexcept;
    void serve() noexcept;
    void await_job(std::unique_lock<std::mutex>& lock);
    Job& first_claimed(int& worker) noexcept;
    void withdraw(Job& job) noexcept;

    std::mutex mutex_;
    std::condition_variable job_added_;
    std::condition_variable job_done_;
    Job* jobs_ = nullptr;  // with unclaimed places, in no order
    int idle_ = 0;
    std::atomic<int> unclaimed_{0};  // of all jobs; idle threads look at it for a while
};

}  // namespace graphopt
