// Whole kernels on the host, for g++: blocks run one after another, the threads of each are fibers, which switch where they
// wait for one another and nowhere else, in order or in reverse.
#pragma once

#include <setjmp.h>
#include <ucontext.h>

#include <utility>

#include "host.h"

#define __global__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __shared__ static

template <class N>
static N min(N a, N b) {
    return b < a ? b : a;
}

struct Place {
    unsigned x, y, z;
};
static Place threadIdx, blockIdx, blockDim, gridDim;

namespace host {

constexpr int most_threads = 1024, warp_size = 32;
constexpr size_t stack_bytes = 1 << 16;

struct Barrier {
    unsigned wanted, arrived, generation;
};

struct Fiber {
    jmp_buf at;  // ucontext begins a fiber; from then on jumps are much quicker
    char* stack;
    bool begun, done;
};

static Fiber fibers[most_threads];
static jmp_buf scheduler;
static Barrier of_block, of_warp[most_threads / warp_size];
static int exchanged[most_threads];
static const char* fault;
static bool moved;  // whether a thread came to its end, or all to a barrier, since the scheduler last looked
static void (*body)(void*);
static void* body_argument;

static void leave() {
    if (!_setjmp(fibers[threadIdx.x].at)) _longjmp(scheduler, 1);
}

static void wait(Barrier& barrier) {
    const unsigned now = barrier.generation;
    if (++barrier.arrived == barrier.wanted) {
        barrier.arrived = 0;
        ++barrier.generation;
        moved = true;
    } else {
        while (barrier.generation == now) leave();
    }
}

static void run_threads() {
    for (;;) {
        body(body_argument);
        fibers[threadIdx.x].done = moved = true;
        leave();
    }
}

static void resume(Fiber& fiber) {
    if (_setjmp(scheduler)) return;
    if (fiber.begun) _longjmp(fiber.at, 1);
    fiber.begun = true;
    if (!fiber.stack) fiber.stack = new char[stack_bytes];
    ucontext_t context;
    getcontext(&context);
    context.uc_stack.ss_sp = fiber.stack;
    context.uc_stack.ss_size = stack_bytes;
    makecontext(&context, run_threads, 0);
    setcontext(&context);
}

static void run_block(bool reversed) {
    const int count = blockDim.x;
    of_block = {blockDim.x, 0, 0};
    for (Barrier& barrier : of_warp) barrier = {warp_size, 0, 0};
    for (int t = 0; t < count; ++t) fibers[t].done = false;
    for (int left = count; left && !fault;) {
        moved = false;
        for (int k = 0; k < count && !fault; ++k) {
            const unsigned t = reversed ? count - 1 - k : k;
            if (fibers[t].done) continue;
            threadIdx = {t, 0, 0};
            resume(fibers[t]);
            left -= fibers[t].done;
        }
        if (!moved && !fault) fault = "some threads wait at a barrier to which others never come";
    }
    if (!fault) return;
    for (int t = 0; t < count; ++t) fibers[t].begun = false;  // they would go on where they stopped
}

static void run_grid(bool reversed) {
    const unsigned blocks = gridDim.x * gridDim.y;
    for (unsigned k = 0; k < blocks && !fault; ++k) {
        const unsigned b = reversed ? blocks - 1 - k : k;
        blockIdx = {b % gridDim.x, b / gridDim.x, 0};
        run_block(reversed);
    }
}

// Run a kernel on arguments of these sizes, given by their addresses; what went wrong, or null.
template <class... A>
const char* launch(void (*kernel)(A...), int count, void** given, const int* sizes, const unsigned* grid, unsigned block,
                   bool reversed) {
    constexpr int wanted[] = {sizeof(A)...};
    if (count != sizeof...(A)) return "another number of arguments than the kernel takes";
    for (int i = 0; i < count; ++i)
        if (sizes[i] != wanted[i]) return "an argument of another size than the kernel takes";
    auto call = [&]<size_t... I>(std::index_sequence<I...>) { kernel(*static_cast<A*>(given[I])...); };
    auto thread = [&] { call(std::index_sequence_for<A...>()); };
    body = [](void* work) { (*static_cast<decltype(thread)*>(work))(); };
    body_argument = &thread;
    gridDim = {grid[0], grid[1], 1};
    blockDim = {block, 1, 1};
    fault = nullptr;
    run_grid(reversed);
    return fault;
}

}  // namespace host

// What g++ calls, by -fsanitize=alignment, ahead of an access that no GPU would make.
extern "C" void __ubsan_handle_type_mismatch_v1(void*, void*) {
    host::fault = "an address that is no multiple of the size of what is read or written there";
    host::leave();
}

static void __syncthreads() {
    host::wait(host::of_block);
}

static void __syncwarp() {
    host::wait(host::of_warp[threadIdx.x / host::warp_size]);
}

static void __threadfence() {}

static unsigned __match_any_sync(unsigned, int value) {
    const int first = threadIdx.x / host::warp_size * host::warp_size;
    host::exchanged[threadIdx.x] = value;
    __syncwarp();
    unsigned same = 0;
    for (int i = 0; i < host::warp_size; ++i) same |= static_cast<unsigned>(host::exchanged[first + i] == value) << i;
    __syncwarp();
    return same;
}

static int __popc(unsigned bits) {
    return __builtin_popcount(bits);
}

static unsigned atomicInc(unsigned* at, unsigned most) {
    const unsigned old = *at;
    *at = old >= most ? 0 : old + 1;
    return old;
}
