#include <stdexcept>
#include <vector>

#include "check.hpp"
#include "graphopt/parallel.hpp"

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

}  // namespace

int main() {
    every_chunk_runs_once();
    ranges_cover_the_items();
    an_exception_reaches_the_caller();
    rounds_wait_for_the_one_before();
    an_exception_ends_the_rounds();
    nothing_to_do_is_fine();
    nested_regions_run_on_one_thread();
}
