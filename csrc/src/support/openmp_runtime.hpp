// The OpenMP runtime that the process has loaded, if any. Kernels run on it because its idle
// threads spin for a while after each region: a second set of threads would have to wait for their
// processors. Nothing is linked to it, so that an installation brings no second copy.
#pragma once

namespace graphopt {

struct OpenMPRuntime {
    void (*parallel)(void (*body)(void*), void* data, unsigned threads, unsigned flags);
    int (*thread_num)();
    int (*in_parallel)();
    int (*max_threads)();
    int (*pause_all)(int kind);  // null before OpenMP 5
    const char* path;
};

// Null where none is loaded. PyTorch's own comes first. Cheap; looks again when the process has
// loaded another library.
const OpenMPRuntime* loaded_openmp() noexcept;

}  // namespace graphopt
