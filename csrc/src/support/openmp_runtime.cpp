#include "openmp_runtime.hpp"

#if defined(__linux__)
#include <dlfcn.h>
#include <link.h>

#include <atomic>
#include <cstddef>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#endif

namespace graphopt {

#if defined(__linux__)
namespace {

bool starts_with(const char* text, const char* prefix) noexcept {
    return std::strncmp(text, prefix, std::strlen(prefix)) == 0;
}

// What is loaded: the library whose own runtime is wanted, and runtimes.
struct Loaded {
    std::string torch;
    std::string runtime;
};

int note_library(dl_phdr_info* info, std::size_t, void* data) {
    auto& loaded = *static_cast<Loaded*>(data);
    const char* const path = info->dlpi_name;
    const char* const slash = std::strrchr(path, '/');
    const char* const name = slash == nullptr ? path : slash + 1;
    if (starts_with(name, "libtorch_cpu.")) loaded.torch = path;
    const bool runtime = starts_with(name, "libgomp") || starts_with(name, "libiomp5") ||
                         starts_with(name, "libomp.") || starts_with(name, "libomp-");
    if (runtime && loaded.runtime.empty()) loaded.runtime = path;
    return 0;
}

int note_generation(dl_phdr_info* info, std::size_t, void* data) {
    *static_cast<unsigned long long*>(data) = info->dlpi_adds;
    return 1;
}

// How many libraries the process has loaded so far.
unsigned long long generation() noexcept {
    unsigned long long adds = 0;
    dl_iterate_phdr(note_generation, &adds);
    return adds;
}

template <class Function>
bool find(void* library, const char* name, Function*& function) noexcept {
    // Through void*: POSIX lets a function's address be one.
    void* const address = dlsym(library, name);
    std::memcpy(&function, &address, sizeof function);
    return address != nullptr;
}

// Null if the library, or what it needs, is no OpenMP runtime of GNU's interface (LLVM's and
// Intel's have it too).
std::unique_ptr<OpenMPRuntime> open(const std::string& path) {
    if (path.empty()) return nullptr;
    // Loaded already, so that this adds a reference and nothing else. Never closed.
    void* const library = dlopen(path.c_str(), RTLD_LAZY | RTLD_NOLOAD);
    if (library == nullptr) return nullptr;
    auto found = std::make_unique<OpenMPRuntime>();
    const bool complete = find(library, "GOMP_parallel", found->parallel) &&
                          find(library, "omp_get_thread_num", found->thread_num) &&
                          find(library, "omp_in_parallel", found->in_parallel) &&
                          find(library, "omp_get_max_threads", found->max_threads);
    if (!complete) return nullptr;
    find(library, "omp_pause_resource_all", found->pause_all);
    Dl_info where{};
    void* address = nullptr;
    std::memcpy(&address, &found->parallel, sizeof address);
    found->path = dladdr(address, &where) != 0 ? where.dli_fname : "";
    return found;
}

struct Search {
    std::mutex mutex;
    std::atomic<const OpenMPRuntime*> found{nullptr};
    std::atomic<unsigned long long> generation{0};
    std::atomic<bool> final{false};

    void run(unsigned long long now) {
        const std::lock_guard<std::mutex> lock(mutex);
        if (generation.load() == now) return;
        Loaded loaded;
        dl_iterate_phdr(note_library, &loaded);
        // A name searched in torch's handle is looked up in the libraries that torch was linked to.
        if (auto runtime = open(loaded.torch)) {
            found.store(runtime.release());  // kept for good
            final.store(true);
        } else if (found.load() == nullptr) {
            found.store(open(loaded.runtime).release());
        }
        generation.store(now);
    }
};

Search& search() noexcept {
    static Search* const instance = new Search;  // outlives every thread
    return *instance;
}

}  // namespace

const OpenMPRuntime* loaded_openmp() noexcept {
    Search& state = search();
    if (!state.final.load(std::memory_order_acquire)) {
        const unsigned long long now = generation();
        if (state.generation.load(std::memory_order_acquire) != now) {
            try {
                state.run(now);
            } catch (...) {  // no memory for a path: there are threads of our own
                return nullptr;
            }
        }
    }
    return state.found.load(std::memory_order_acquire);
}

#else

const OpenMPRuntime* loaded_openmp() noexcept { return nullptr; }

#endif

}  // namespace graphopt
