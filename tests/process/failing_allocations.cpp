// Preloaded into a process (LD_PRELOAD), replaces what C++ code and NumPy allocate with: while
// armed, the n-th allocation fails, on whichever thread it comes; with `for_good`, all later ones
// too.
#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

namespace {

std::atomic<bool> armed{false};
std::atomic<bool> goes_on{false};
std::atomic<long> seen{0};     // allocations since arming
std::atomic<long> failed{0};   // of these, how many failed by throwing or as malloc does
std::atomic<long> refused{0};  // how many failed by returning null to code that is ready for it
std::atomic<long> fails_at{0};

bool must_fail() {
    if (!armed.load(std::memory_order_relaxed)) return false;
    const long number = seen.fetch_add(1) + 1;
    return goes_on.load(std::memory_order_relaxed) ? number >= fails_at.load()
                                                   : number == fails_at.load();
}

void* allocate(std::size_t size, std::size_t alignment) {
    if (size == 0) size = 1;
    if (alignment == 0) return std::malloc(size);
    return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

void* throwing(std::size_t size, std::size_t alignment = 0) {
    if (must_fail()) {
        failed.fetch_add(1);
        throw std::bad_alloc();
    }
    void* const memory = allocate(size, alignment);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}

void* quiet(std::size_t size, std::size_t alignment = 0) noexcept {
    if (must_fail()) {
        refused.fetch_add(1);
        return nullptr;
    }
    return allocate(size, alignment);
}

std::size_t of(std::align_val_t alignment) { return static_cast<std::size_t>(alignment); }

// NumPy gets its arrays by malloc and calloc, as others do: only calls from its code fail.
struct Range {
    std::uintptr_t begin = 0, end = 0;
};
Range numpy;

int look_for_numpy(dl_phdr_info* info, std::size_t, void*) {
    if (std::strstr(info->dlpi_name, "_multiarray_umath") == nullptr) return 0;
    numpy = {~std::uintptr_t{0}, 0};
    for (int i = 0; i < info->dlpi_phnum; ++i) {
        const auto& part = info->dlpi_phdr[i];
        if (part.p_type != PT_LOAD) continue;
        numpy.begin = std::min<std::uintptr_t>(numpy.begin, info->dlpi_addr + part.p_vaddr);
        numpy.end =
            std::max<std::uintptr_t>(numpy.end, info->dlpi_addr + part.p_vaddr + part.p_memsz);
    }
    return 1;
}

bool must_fail_for(void* caller) {
    const auto at = reinterpret_cast<std::uintptr_t>(caller);
    if (at < numpy.begin || at >= numpy.end || !must_fail()) return false;
    failed.fetch_add(1);
    errno = ENOMEM;
    return true;
}

}  // namespace

extern "C" {

void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);

void* malloc(std::size_t size) {
    return must_fail_for(__builtin_return_address(0)) ? nullptr : __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
    return must_fail_for(__builtin_return_address(0)) ? nullptr : __libc_calloc(count, size);
}

void arm_failing_allocations(long at, int for_good) {
    if (numpy.end == 0) dl_iterate_phdr(look_for_numpy, nullptr);
    seen = failed = refused = 0;
    fails_at = at;
    goes_on = for_good != 0;
    armed = true;
}

// Leaves the counts in `counts`: allocations seen, failed and refused.
void disarm_failing_allocations(long* counts) {
    armed = false;
    counts[0] = seen;
    counts[1] = failed;
    counts[2] = refused;
}
}

void* operator new(std::size_t n) { return throwing(n); }
void* operator new[](std::size_t n) { return throwing(n); }
void* operator new(std::size_t n, std::align_val_t a) { return throwing(n, of(a)); }
void* operator new[](std::size_t n, std::align_val_t a) { return throwing(n, of(a)); }
void* operator new(std::size_t n, const std::nothrow_t&) noexcept { return quiet(n); }
void* operator new[](std::size_t n, const std::nothrow_t&) noexcept { return quiet(n); }
void* operator new(std::size_t n, std::align_val_t a, const std::nothrow_t&) noexcept {
    return quiet(n, of(a));
}
void* operator new[](std::size_t n, std::align_val_t a, const std::nothrow_t&) noexcept {
    return quiet(n, of(a));
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, const std::nothrow_t&) noexcept { std::free(p); }
void operator delete[](void* p, const std::nothrow_t&) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t, const std::nothrow_t&) noexcept { std::free(p); }
void operator delete[](void* p, std::align_val_t, const std::nothrow_t&) noexcept { std::free(p); }
