#include "graphopt/support/sparse.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "counted.hpp"
#include "graphopt/support/simd.hpp"

namespace graphopt {
namespace {

// Without a branch an entry, so that a vector of them takes one step.
template <class Offset>
GRAPHOPT_ALWAYS_INLINE bool rise(const Offset* offsets, std::size_t count) {
    bool falls = false;
    for (std::size_t i = 1; i < count; ++i) falls |= offsets[i] < offsets[i - 1];
    return !falls;
}

// A negative index is a huge one here, and above every bound.
template <class Index, class Unsigned = std::make_unsigned_t<Index>>
GRAPHOPT_ALWAYS_INLINE Unsigned largest_of(const Index* indices, std::size_t count) {
    Unsigned largest = 0;
    for (std::size_t i = 0; i < count; ++i) {
        largest = std::max(largest, static_cast<Unsigned>(indices[i]));
    }
    return largest;
}

GRAPHOPT_MULTIVERSION_FN bool never_fall(const std::int32_t* offsets, std::size_t count) {
    return rise(offsets, count);
}

GRAPHOPT_MULTIVERSION_FN bool never_fall(const std::int64_t* offsets, std::size_t count) {
    return rise(offsets, count);
}

GRAPHOPT_MULTIVERSION_FN std::uint32_t largest(const std::int32_t* indices, std::size_t count) {
    return largest_of(indices, count);
}

GRAPHOPT_MULTIVERSION_FN std::uint64_t largest(const std::int64_t* indices, std::size_t count) {
    return largest_of(indices, count);
}

}  // namespace

template <class Offset>
void check_offsets(std::span<const Offset> indptr, std::size_t n_entries) {
    if (indptr.empty() || indptr.front() != 0) {
        throw std::invalid_argument("indptr must start with 0");
    }
    if (indptr.back() < 0 || static_cast<std::uint64_t>(indptr.back()) != n_entries) {
        throw std::invalid_argument("indptr must end with the length of indices, " +
                                    std::to_string(n_entries) + ", not " +
                                    std::to_string(indptr.back()));
    }
    bool rising = true;
    counted_pieces(indptr.size() - 1, 1, [&](std::size_t begin, std::size_t end) {
        rising = rising && never_fall(indptr.data() + begin, end - begin + 1);
    });
    if (rising) return;
    const auto fall = std::ranges::is_sorted_until(indptr) - indptr.begin();
    throw std::invalid_argument("indptr must not decrease, as it does at " + std::to_string(fall));
}

template <class Index>
void check_indices(std::span<const Index> indices, std::size_t size, const char* name) {
    const auto bound =
        std::min<std::uint64_t>(size, std::uint64_t{std::numeric_limits<Index>::max()} + 1);
    bool inside = true;
    counted_pieces(indices.size(), 1, [&](std::size_t begin, std::size_t end) {
        inside = inside && largest(indices.data() + begin, end - begin) < bound;
    });
    if (inside) return;
    const auto outside = std::ranges::find_if(indices, [bound](Index index) {
        return index < 0 || static_cast<std::uint64_t>(index) >= bound;
    });
    throw std::invalid_argument(std::string(name) + " must be at least 0 and less than " +
                                std::to_string(size) + "; " + name + "[" +
                                std::to_string(outside - indices.begin()) + "] is " +
                                std::to_string(*outside));
}

template void check_offsets(std::span<const std::int32_t>, std::size_t);
template void check_offsets(std::span<const std::int64_t>, std::size_t);
template void check_indices(std::span<const std::int32_t>, std::size_t, const char*);
template void check_indices(std::span<const std::int64_t>, std::size_t, const char*);

}  // namespace graphopt
