// Scratch memory aligned to a cache line.
#pragma once

#include <cstddef>
#include <memory>
#include <new>

#include "graphopt/simd.hpp"

namespace graphopt {

struct Uninitialized {};
inline constexpr Uninitialized uninitialized{};

// A fixed number of values of an arithmetic type, zeros unless said otherwise.
template <class T>
class AlignedArray {
  public:
    explicit AlignedArray(std::size_t size)
        : data_(new (std::align_val_t{simd_bytes}) T[size]()), size_(size) {}
    AlignedArray(std::size_t size, Uninitialized)
        : data_(new (std::align_val_t{simd_bytes}) T[size]), size_(size) {}

    T* data() noexcept { return data_.get(); }
    const T* data() const noexcept { return data_.get(); }
    std::size_t size() const noexcept { return size_; }

  private:
    struct Free {
        void operator()(T* p) const noexcept {
            ::operator delete[](p, std::align_val_t{simd_bytes});
        }
    };
    std::unique_ptr<T[], Free> data_;
    std::size_t size_;
};

}  // namespace graphopt
