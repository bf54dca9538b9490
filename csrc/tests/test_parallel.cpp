#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#include "check.hpp"
#include "graphopt/support/parallel.hpp"

using namespace graphopt;

namespace {

void every_chunk_runs_once() {
    for (const int threads : {1, 2, 3, 8}) {
        std::vector<int> seen(101, 0);
        parallel_chunks(seen.size(), threads, [&](std::size_t chunk, int worker) {
            CHECK(worker >= 0 && worker < threads);
            ++seen[chunk];
        });
        for (const int count : seen) CHECK(count == 1);
    }
}

void ranges_cover_the_items() {
    std::vector<int> seen(1000, 0);
    parallel_ranges(seen.size(), 64, 3,
                    [&](std::size_t begin, std::size_t end, std::size_t chunk, int) {
                        CHECK(begin == chunk * 64);
                        for (std::size_t i = begin; i < end; ++i) ++seen[i];
                    });
    for (const int count : seen) CHECK(count == 1);
}

void an_exception_reaches_the_caller() {
    for (const int threads : {1, 2, 8}) {
        CHECK_THROWS(parallel_chunks(50, threads,
                                     [](std::size_t chunk, int) {
                                         if (chunk == 7) throw std::runtime_error("seven");
                                     }),
                     std::runtime_error);
    }
}

void rounds_wait_for_the_one_before() {
    for (const int threads : {1, 2, 3, 8}) {
        constexpr std::size_t chunks = 7;
        std::vector<std::size_t> seen(chunks, 0);
        std::size_t finished = 0;
        parallel_rounds(
            20, chunks, threads,
            [&](std::size_t round, std::size_t chunk, int worker) {
                CHECK(worker >= 0 && worker < threads);
                CHECK(finished == round && seen[chunk] == round);
                ++seen[chunk];
            },
            [&](std::size_t round) {
                for (const std::size_t count : seen) CHECK(count == round + 1);
                finished = round + 1;
            });
        CHECK(finished == 20);
    }
}

void an_exception_ends_the_rounds() {
    for (const int threads : {1, 2, 8}) {
        std::size_t finished = 0;
        const auto body = [](std::size_t round, std::size_t chunk, int) {
            if (round == 3 && chunk == 4) throw std::runtime_error("four");
        };
        CHECK_THROWS(parallel_rounds(9, 5, threads, body, [&](std::size_t) { ++finished; }),
                     std::runtime_error);
        CHECK(finished == 3);
        const auto fail = [](std::size_t) { throw std::runtime_error("finish"); };
        CHECK_THROWS(parallel_rounds(
                         9, 5, threads, [](std::size_t, std::size_t, int) {}, fail),
                     std::runtime_error);
    }
}

void nothing_to_do_is_fine() {
    std::size_t finished = 0;
    parallel_rounds(
        3, 0, 4, [](std::size_t, std::size_t, int) { CHECK(false); },
        [&](std::size_t) { ++finished; });
    CHECK(finished == 3);
    parallel_chunks(0, 4, [](std::size_t, int) { CHECK(false); });
}

void nested_regions_run_on_one_thread() {
    std::vector<int> inner(2, 0);
    parallel_chunks(2, 2, [&](std::size_t chunk, int) { inner[chunk] = usable_threads(8, 8); });
    CHECK(inner[0] == 1 && inner[1] == 1);
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

void work_that_is_counted_can_be_interrupted() {
    const Checked checked;
    wanted = true;
    const auto endless = [] {
        while (true) count_work(1000);
        return 0;
    };
    CHECK_THROWS(endless(), Interrupt);
}

// Every thread works for ever, unless it is told to stop.
void an_interrupt_stops_all_threads() {
    const Checked checked;
    for (const int threads : {1, 2, 3, 8}) {
        wanted = false;
        CHECK_THROWS(parallel_chunks(8, threads,
                                     [](std::size_t, int) {
                                         wanted = true;
                                         while (true) count_work(1000);
                                     }),
                     Interrupt);
    }
}

// The calling thread has done its part and hears the interrupt while it waits.
void the_caller_listens_while_others_work() {
    const Checked checked;
    std::atomic<bool> other_works{false};
    const std::thread::id caller = std::this_thread::get_id();
    CHECK_THROWS(parallel_chunks(2, 2,
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

void an_interrupt_comes_before_another_exception() {
    const Checked checked;
    const std::thread::id caller = std::this_thread::get_id();
    std::atomic<bool> caller_works{false};
    CHECK_THROWS(parallel_chunks(2, 2,
                                 [&](std::size_t, int) {
                                     if (std::this_thread::get_id() == caller) {
                                         caller_works = true;
                                         wanted = true;
                                         while (true) look_for_interrupt();
                                     }
                                     while (!caller_works) std::this_thread::yield();
                                     while (checks.load() == 0) std::this_thread::yield();
                                     throw std::runtime_error("late");
                                 }),
                 Interrupt);
}

void a_failure_stops_counted_work_elsewhere() {
    CHECK_THROWS(parallel_chunks(2, 2,
                                 [](std::size_t chunk, int) {
                                     if (chunk == 1) throw std::runtime_error("one");
                                     while (true) count_work(1000);
                                 }),
                 std::runtime_error);
}

void rounds_can_be_interrupted() {
    const Checked checked;
    for (const int threads : {1, 2, 3}) {
        wanted = false;
        CHECK_THROWS(parallel_rounds(
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

void several_callers_share_the_threads() {
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
    for (const std::size_t sum : sums) CHECK(sum == 50 * 780);
}

void threads_can_be_started() {
    CHECK(startable_threads(0) == 0);
    CHECK(startable_threads(3) == 3);
}

void senseless_numbers_of_threads_are_one() {
    CHECK(usable_threads(0, 5) == 1 && usable_threads(-3, 5) == 1 && usable_threads(4, 0) == 1);
    CHECK(usable_threads(2147483647, 1000000) <= 1000);
}

}  // namespace

int main() {
    every_chunk_runs_once();
    ranges_cover_the_items();
    an_exception_reaches_the_caller();
    rounds_wait_for_the_one_before();
    an_exception_ends_the_rounds();
    nothing_to_do_is_fine();
    nested_regions_run_on_one_thread();
    work_that_is_counted_can_be_interrupted();
    an_interrupt_stops_all_threads();
    the_caller_listens_while_others_work();
    an_interrupt_comes_before_another_exception();
    a_failure_stops_counted_work_elsewhere();
    rounds_can_be_interrupted();
    several_callers_share_the_threads();
    threads_can_be_started();
    senseless_numbers_of_threads_are_one();
}
