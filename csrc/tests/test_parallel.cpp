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

void nothing_to_do_is_fine() {
    parallel_chunks(0, 4, [](std::size_t, int) { CHECK(false); });
}

void nested_regions_run_on_one_thread() {
    std::vector<int> inner(2, 0);
    parallel_chunks(2, 2, [&](std::size_t chunk, int) { inner[chunk] = usable_threads(8, 8); });
    if (has_openmp()) CHECK(inner[0] == 1 && inner[1] == 1);
}

}  // namespace

int main() {
    every_chunk_runs_once();
    ranges_cover_the_items();
    an_exception_reaches_the_caller();
    nothing_to_do_is_fine();
    nested_regions_run_on_one_thread();
}
