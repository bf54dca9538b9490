// One macro decides how a hot function is compiled; nothing else in the code base names an ISA.
#pragma once

#include <cstddef>

// A function marked GRAPHOPT_MULTIVERSION_FN is compiled once per x86-64 level and the best copy is
// picked when the library is loaded. It must not be a template: write the body as a
// GRAPHOPT_ALWAYS_INLINE template and call it from one marked overload per type. It must not throw,
// and so not allocate nor look for an interrupt: GCC compiles its callers as if it never did, and
// an exception that left it would end the process. A test reads the machine code for that.
#if defined(GRAPHOPT_MULTIVERSION) && defined(__x86_64__) && defined(__gnu_linux__) && \
    defined(__GNUC__) && !defined(__clang__)
#define GRAPHOPT_MULTIVERSION_FN \
    __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#define GRAPHOPT_HAS_MULTIVERSION 1
// Compiled once, for processors where has_wide_permutes(); not to be called on others.
#define GRAPHOPT_WIDE_PERMUTES_FN __attribute__((target("arch=x86-64-v4")))
#else
#define GRAPHOPT_MULTIVERSION_FN
#define GRAPHOPT_HAS_MULTIVERSION 0
#endif

// For kernels that keep vectors in registers: a vector wider than the registers would live in
// memory. GRAPHOPT_PER_ISA(void f(int a), g<vector_bytes>(a)) defines f once per level, each with
// the constant `vector_bytes` of that level, and the best is picked when the library is loaded. It
// must not throw either.
#if GRAPHOPT_HAS_MULTIVERSION
#define GRAPHOPT_PER_ISA(signature, ...)                                                       \
    __attribute__((target("arch=x86-64-v4"))) signature { GRAPHOPT_ISA_BODY(64, __VA_ARGS__) } \
    __attribute__((target("arch=x86-64-v3"))) signature { GRAPHOPT_ISA_BODY(32, __VA_ARGS__) } \
    __attribute__((target("default"))) signature { GRAPHOPT_ISA_BODY(16, __VA_ARGS__) }
#elif defined(__AVX512F__)
#define GRAPHOPT_PER_ISA(signature, ...) \
    signature { GRAPHOPT_ISA_BODY(64, __VA_ARGS__) }
#elif defined(__AVX__)
#define GRAPHOPT_PER_ISA(signature, ...) \
    signature { GRAPHOPT_ISA_BODY(32, __VA_ARGS__) }
#else
#define GRAPHOPT_PER_ISA(signature, ...) \
    signature { GRAPHOPT_ISA_BODY(16, __VA_ARGS__) }
#endif
#define GRAPHOPT_ISA_BODY(bytes, ...)           \
    constexpr std::size_t vector_bytes = bytes; \
    __VA_ARGS__;

#define GRAPHOPT_ALWAYS_INLINE inline __attribute__((always_inline))

namespace graphopt {

// Vectors of 64 bytes; the compiler splits them where registers are narrower.
typedef float float32x16 __attribute__((vector_size(64)));
typedef double float64x8 __attribute__((vector_size(64)));
typedef unsigned int uint32x16 __attribute__((vector_size(64)));
typedef unsigned long long uint64x8 __attribute__((vector_size(64)));
typedef unsigned char uint8x64 __attribute__((vector_size(64)));

inline constexpr std::size_t simd_bytes = 64;

// A vector as an element of a container: a bare vector type loses its attributes there, and without
// AVX its alignment.
template <class Vector>
struct Line;
template <>
struct alignas(simd_bytes) Line<float32x16> {
    float32x16 lanes;
};
template <>
struct alignas(simd_bytes) Line<float64x8> {
    float64x8 lanes;
};

// The level chosen on this processor: "x86-64-v4", "x86-64-v3" or "baseline". Where only one is
// compiled, that one: what the user's own flags allow, else the baseline.
inline const char* chosen_isa() noexcept {
#if GRAPHOPT_HAS_MULTIVERSION
    __builtin_cpu_init();
    if (__builtin_cpu_supports("x86-64-v4")) return "x86-64-v4";
    if (__builtin_cpu_supports("x86-64-v3")) return "x86-64-v3";
#elif defined(__AVX512F__)
    return "x86-64-v4";
#elif defined(__AVX2__)
    return "x86-64-v3";
#endif
    return "baseline";
}

// Tells the processor that this thread only waits for another one.
inline void relax_processor() noexcept {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

// Whether one instruction looks up 16 floats in a table of 32 (`__builtin_shuffle` of two
// float32x16 by a third vector); elsewhere the same code is slower than single look-ups.
inline bool has_wide_permutes() noexcept {
#if GRAPHOPT_HAS_MULTIVERSION
    __builtin_cpu_init();
    return __builtin_cpu_supports("x86-64-v4") != 0;
#else
    return false;
#endif
}

}  // namespace graphopt
