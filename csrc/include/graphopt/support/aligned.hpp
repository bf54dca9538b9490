// Scratch memory aligned to a cache line; large arrays lie on huge pages where the system has them,
// so that they cost fewer page faults and reading them in no order misses no page tables.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <type_traits>

namespace graphopt {

// Throws std::bad_alloc.
void* allocate_aligned(std::size_t n_bytes);
void free_aligned(void* memory, std::size_t n_bytes) noexcept;

struct Uninitialized {};
inline constexpr Uninitialized uninitialized{};

// A fixed number of plain values, zeros unless said otherwise.
template <class T>
class AlignedArray {
    static_assert(std::is_trivially_destructible_v<T>);

  public:
    AlignedArray(std::size_t size, Uninitialized)
        : data_(static_cast<T*>(allocate_aligned(size * sizeof(T))), Free{size * sizeof(T)}),
          size_(size) {}
    explicit AlignedArray(std::size_t size) : AlignedArray(size, uninitialized) {
        std::fill_n(data(), size, T{});
    }

    T* data() noexcept { return data_.get(); }
    const T* data() const noexcept { return data_.get(); }
    std::size_t size() const noexcept { return size_; }
    T& operator[](std::size_t i) noexcept { return data()[i]; }
    const T& operator[](std::size_t i) const noexcept { return data()[i]; }

  private:
    struct Free {
        std::size_t n_bytes = 0;
        void operator()(T* p) const noexcept { free_aligned(p, n_bytes); }
    };
    std::unique_ptr<T, Free> data_;
    std::size_t size_;
};

}  // namespace graphopt
