// Work counted in loops whose steps are too short to be counted one by one. None of it may be
// called in a function that GRAPHOPT_MULTIVERSION_FN or GRAPHOPT_PER_ISA compiles several times:
// GCC takes it that no exception leaves such a function, and one that does ends the process.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "graphopt/support/parallel.hpp"

namespace graphopt {

// Adds units up and hands them on when there are enough.
class WorkCounter {
  public:
    void operator()(std::size_t units) {
        units_ += units;
        if (units_ >= grain) hand_on();
    }

    // To be called at the end by what is called often, or its work would never be counted.
    void hand_on() { count_work(std::exchange(units_, 0)); }

  private:
    static constexpr std::size_t grain = std::size_t{1} << 14;
    std::size_t units_ = 0;
};

// Calls body(begin, end) for pieces of [0, n), `units` of work for each item.
template <class Body>
void counted_pieces(std::size_t n, std::size_t units, Body&& body) {
    constexpr std::size_t piece = std::size_t{1} << 12;
    for (std::size_t begin = 0; begin < n; begin += piece) {
        const std::size_t end = std::min(begin + piece, n);
        body(begin, end);
        count_work((end - begin) * units);
    }
}

// Calls body(i) for i in [0, n).
template <class Body>
void counted_loop(std::size_t n, std::size_t units, Body&& body) {
    counted_pieces(n, units, [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) body(i);
    });
}

// For large memory, which takes a second for each few gigabytes when it is first written.
template <class T>
void counted_fill(std::span<T> values, const T& value) {
    counted_pieces(values.size(), 1 + sizeof(T) / 16, [&](std::size_t begin, std::size_t end) {
        std::fill(values.begin() + static_cast<std::ptrdiff_t>(begin),
                  values.begin() + static_cast<std::ptrdiff_t>(end), value);
    });
}

// For large fresh memory that is to be written in no order. The system clears each page, of up to
// 2 MB, where it is first written: a few scattered writes would make it clear everything at once.
// What was there is lost.
template <class T>
void counted_touch(std::span<T> values) {
    constexpr std::size_t page = std::max<std::size_t>(4096 / sizeof(T), 1);
    constexpr std::size_t some = 64 * page;
    for (std::size_t begin = 0; begin < values.size(); begin += some) {
        const std::size_t end = std::min(begin + some, values.size());
        for (std::size_t i = begin; i < end; i += page) values[i] = T{};
        count_work((end - begin) * sizeof(T) / 4);
    }
}

// The same as values.resize(size).
template <class T>
void counted_resize(std::vector<T>& values, std::size_t size) {
    constexpr std::size_t piece = std::size_t{1} << 14;
    values.reserve(size);
    while (values.size() < size) {
        const std::size_t some = std::min(piece, size - values.size());
        values.resize(values.size() + some);
        count_work(some * (1 + sizeof(T) / 16));
    }
    values.resize(size);
}

// A vector of the same values.
template <class T>
std::vector<T> counted_copy(std::span<const T> values) {
    std::vector<T> copy;
    copy.reserve(values.size());
    counted_pieces(values.size(), 1 + sizeof(T) / 16, [&](std::size_t begin, std::size_t end) {
        copy.insert(copy.end(), values.begin() + static_cast<std::ptrdiff_t>(begin),
                    values.begin() + static_cast<std::ptrdiff_t>(end));
    });
    return copy;
}

}  // namespace graphopt
