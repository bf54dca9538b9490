#include "graphopt/support/aligned.hpp"

#include <new>

#include "graphopt/support/simd.hpp"

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace graphopt {
namespace {

constexpr std::size_t huge_page = std::size_t{1} << 21;

// A smaller array would waste more of its last page than it gains.
std::align_val_t alignment_of(std::size_t n_bytes) {
    return std::align_val_t{n_bytes >= 2 * huge_page ? huge_page : simd_bytes};
}

}  // namespace

void* allocate_aligned(std::size_t n_bytes) {
    void* const memory = ::operator new(n_bytes, alignment_of(n_bytes));
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    // Advice only: where it is not taken, ordinary pages do.
    if (n_bytes >= 2 * huge_page) {
        madvise(memory, n_bytes / huge_page * huge_page, MADV_HUGEPAGE);
    }
#endif
    return memory;
}

void free_aligned(void* memory, std::size_t n_bytes) noexcept {
    ::operator delete(memory, alignment_of(n_bytes));
}

}  // namespace graphopt
