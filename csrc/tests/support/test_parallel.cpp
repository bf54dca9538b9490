#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#include "graphopt/support/parallel.hpp"

using namespace graphopt;

namespace {

TEST(Parallel, EveryChunkRunsOnce) {
    for (const int threads : {1, 2, 3, 8}) {
        std::vector<int> seen(101, 0);
        parallel_chunks(seen.size(), threads, [&](std::size_t chunk, int worker) {
            EXPECT_GE(worker, 0);
            EXPECT_LT(worker, threads);
            ++seen[chunk];
        });
        for (const int count : seen) EXPECT_EQ(count, 1);
    }
}

TEST(Parallel, RangesCoverTheItems) {
    std::vector<int> seen(1000, 0);
    parallel_ranges(seen.size(), 64, 3,
                    [&](std::size_t begin, std::size_t end, std::size_t chunk, int) {
                        EXPECT_EQ(begin, chunk * 64);
                        for (std::size_t i = begin; i < end; ++i) ++seen[i];
                    });
    for (const int count : seen) EXPECT_EQ(count, 1);
}

TEST(Parallel, AnExceptionReachesTheCaller) {
    for (const int threads : {1, 2, 8}) {
        EXPECT_THROW(parallel_chunks(50, threads,
                                     [](std::size_t chunk, int) {
                                         if (chunk == 7) throw std::runtime_error("seven");
                                     }),
                     std::runtime_error);
    }
}

TEST(Parallel, RoundsWaitForTheOneBefore) {
    for (const int threads : {1, 2, 3, 8}) {
        constexpr std::size_t chunks = 7;
        std::vector<std::size_t> seen(chunks, 0);
        std::size_t finished = 0;
        parallel_rounds(
            20, chunks, threads,
            [&](std::size_t round, std::size_t chunk, int worker) {
                EXPECT_GE(worker, 0);
                EXPECT_LT(worker, threads);
                EXPECT_EQ(finished, round);
                EXPECT_EQ(seen[chunk], round);
                ++seen[chunk];
            },
            [&](std::size_t round) {
                for (const std::size_t count : seen) EXPECT_EQ(count, round + 1);
                finished = round + 1;
            });
        EXPECT_EQ(finished, 20);
    }
}

TEST(Parallel, AnExceptionEndsTheRounds) {
    for (const int threads : {1, 2, 8}) {
        std::size_t finished = 0;
        const auto body = [](std::size_t round, std::size_t chunk, int) {
            if (round == 3 && chunk == 4) throw std::runtime_error("four");
        };
        EXPECT_THROW(parallel_rounds(9, 5, threads, body, [&](std::size_t) { ++finished; }),
                     std::runtime_error);
        EXPECT_EQ(finished, 3);
        const auto fail = [](std::size_t) { throw std::runtime_error("finish"); };
        EXPECT_THROW(parallel_rounds(
                         9, 5, threads, [](std::size_t, std::size_t, int) {}, fail),
                     std::runtime_error);
    }
}

TEST(Parallel, NothingToDoIsFine) {
    std::size_t finished = 0;
    parallel_rounds(
        3, 0, 4, [](std::size_t, std::size_t, int) { ADD_FAILURE(); },
        [&](std::size_t) { ++finished; });
    EXPECT_EQ(finished, 3);
    parallel_chunks(0, 4, [](std::size_t, int) { ADD_FAILURE(); });
}

TEST(Parallel, NestedRegionsRunOnOneThread) {
    std::vector<int> inner(2, 0);
    parallel_chunks(2, 2, [&](std::size_t chunk, int) { inner[chunk] = usable_threads(8, 8); });
    EXPECT_EQ(inner[0], 1);
    EXPECT_EQ(inner[1], 1);
}

// --- interrupts ---

struct Interrupt {};
std::atomic<bool> wanted{false};
std::atomic<int> checks{0};

void check() {
    ++checks;
    if (wanted.load()) throw Interrupt{};
}

class Checked {
  public:
    Checked() {
        wanted = false;
        checks = 0;
        set_interrupt_check(&check);
    }
    ~Checked() { set_interrupt_check(nullptr); }
    Checked(const Checked&) = delete;
    Checked& operator=(const Checked&) = delete;
};

TEST(Parallel, WorkThatIsCountedCanBeInterrupted) {
    const Checked checked;
    wanted = true;
    const auto endless = [] {
        while (true) count_work(1000);
        return 0;
    };
    EXPECT_THROW(endless(), Interrupt);
}

// Every thread works for ever, unless it is told to stop.
TEST(Parallel, AnInterruptStopsAllThreads) {
    const Checked checked;
    for (const int threads : {1, 2, 3, 8}) {
        wanted = false;
        EXPECT_THROW(parallel_chunks(8, threads,
                                     [](std::size_t, int) {
                                         wanted = true;
                                         while (true) count_work(1000);
                                     }),
                     Interrupt);
    }
}

// The calling thread has done its part and hears the interrupt while it waits.
TEST(Parallel, TheCallerListensWhileOthersWork) {
    const Checked checked;
    std::atomic<bool> other_works{false};
    const std::thread::id caller = std::this_thread::get_id();
    EXPECT_THROW(parallel_chunks(2, 2,
                                 [&](std::size_t, int) {
                                     if (std::this_thread::get_id() == caller) {
                                         while (!other_works) std::this_thread::yield();
                                         return;
                                     }
                                     other_works = true;
                                     wanted = true;
                                     while (true) count_work(1000);
                                 }),
                 Interrupt);
}

TEST(Parallel, AnInterruptComesBeforeAnotherException) {
    const Checked checked;
    const std::thread::id caller = std::this_thread::get_id();
    std::atomic<bool> caller_works{false};
    EXPECT_THROW(parallel_chunks(2, 2,
                                 [&](std::size_t, int) {
                                     if (std::this_thread::get_id() == caller) {
                                         checks = 0;  // from here on, a check throws
                                         wanted = true;
                                         caller_works = true;
                                         while (true) look_for_interrupt();
                                     }
                                     while (!caller_works) std::this_thread::yield();
                                     while (checks.load() == 0) std::this_thread::yield();
                                     throw std::runtime_error("late");
                                 }),
                 Interrupt);
}

TEST(Parallel, AFailureStopsCountedWorkElsewhere) {
    EXPECT_THROW(parallel_chunks(2, 2,
                                 [](std::size_t chunk, int) {
                                     if (chunk == 1) throw std::runtime_error("one");
                                     while (true) count_work(1000);
                                 }),
                 std::runtime_error);
}

TEST(Parallel, RoundsCanBeInterrupted) {
    const Checked checked;
    for (const int threads : {1, 2, 3}) {
        wanted = false;
        EXPECT_THROW(parallel_rounds(
                         1000000, 4, threads,
                         [](std::size_t round, std::size_t, int) {
                             if (round == 3) wanted = true;
                             if (round > 3) count_work(std::size_t{1} << 22);
                         },
                         [](std::size_t) {}),
                     Interrupt);
    }
}

// --- callers side by side ---

TEST(Parallel, SeveralCallersShareTheThreads) {
    std::vector<std::thread> callers;
    std::vector<std::size_t> sums(6, 0);
    for (std::size_t i = 0; i < sums.size(); ++i) {
        callers.emplace_back([&sums, i] {
            for (int turn = 0; turn < 50; ++turn) {
                std::vector<std::size_t> parts(40, 0);
                parallel_chunks(parts.size(), 4,
                                [&](std::size_t chunk, int) { parts[chunk] = chunk; });
                for (const std::size_t part : parts) sums[i] += part;
            }
        });
    }
    for (std::thread& caller : callers) caller.join();
    for (const std::size_t sum : sums) EXPECT_EQ(sum, 50 * 780);
}

TEST(Parallel, ThreadsCanBeStarted) {
    EXPECT_EQ(startable_threads(0), 0);
    EXPECT_EQ(startable_threads(3), 3);
}

TEST(Parallel, SenselessNumbersOfThreadsAreOne) {
    EXPECT_EQ(usable_threads(0, 5), 1);
    EXPECT_EQ(usable_threads(-3, 5), 1);
    EXPECT_EQ(usable_threads(4, 0), 1);
    EXPECT_LE(usable_threads(2147483647, 1000000), 1000);
}

}  // namespace
