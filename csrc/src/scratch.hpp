// Large scratch memory: not initialised, aligned, on huge pages where the system has them, so that
// reading it in no order does not also miss the processor's page tables.
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

namespace graphopt {

// At least a cache line of alignment. Throws std::bad_alloc.
void* allocate_scratch(std::size_t n_bytes);
void free_scratch(void* memory, std::size_t n_bytes) noexcept;

template <class T>
class Scratch {
    static_assert(std::is_trivially_destructible_v<T>);

  public:
    explicit Scratch(std::size_t size)
        : data_(static_cast<T*>(allocate_scratch(size * sizeof(T)))), size_(size) {}
    Scratch(Scratch&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
    Scratch& operator=(Scratch&& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        return *this;
    }
    ~Scratch() {
        if (data_ != nullptr) free_scratch(data_, size_ * sizeof(T));
    }

    T* data() noexcept { return data_; }
    const T* data() const noexcept { return data_; }
    std::size_t size() const noexcept { return size_; }
    T& operator[](std::size_t i) noexcept { return data_[i]; }
    const T& operator[](std::size_t i) const noexcept { return data_[i]; }

  private:
    T* data_;
    std::size_t size_;
};

}  // namespace graphopt
