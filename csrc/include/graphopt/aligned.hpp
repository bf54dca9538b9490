// Scratch memory aligned to a cache line.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>

#include "graphopt/simd.hpp"

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace graphopt {

// Large arrays on large pages where the system has them to give: far fewer page faults.
inline constexpr std::size_t huge_page = std::size_t{2} << 20;

inline std::align_val_t array_alignment(std::size_t bytes) noexcept {
    return std::align_val_t{bytes < 2 * huge_page ? simd_bytes : huge_page};
}

inline void* allocate_array(std::size_t bytes) {
    void* const memory = ::operator new(bytes, array_alignment(bytes));
#if defined(__linux__)
    if (bytes >= 2 * huge_page) ::madvise(memory, bytes, MADV_HUGEPAGE);
#endif
    return memory;
}

struct Uninitialized {};
inline constexpr Uninitialized uninitialized{};

// A fixed number of values of an arithmetic type, zeros unless said otherwise.
template <class T>
class AlignedArray {
  public:
    AlignedArray(std::size_t size, Uninitialized)
        : data_(static_cast<T*>(allocate_array(size * sizeof(T))), Free{size * sizeof(T)}),
          size_(size) {}
    explicit AlignedArray(std::size_t size) : AlignedArray(size, uninitialized) {
        std::fill_n(data(), size, T{});
    }

    T* data() noexcept { return data_.get(); }
    const T* data() const noexcept { return data_.get(); }
    std::size_t size() const noexcept { return size_; }

  private:
    struct Free {
        std::size_t bytes = 0;
        void operator()(T* p) const noexcept { ::operator delete(p, array_alignment(bytes)); }
    };
    std::unique_ptr<T, Free> data_;
    std::size_t size_;
};

}  // namespace graphopt
