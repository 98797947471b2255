// Whole kernels on the host, for g++: blocks run one after another, the threads of each are fibers, which switch where they
// wait for one another and nowhere else, in order or in reverse. Each address that they read or write is checked.
#pragma once

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>

#include <utility>

#include "host.h"

#define __global__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __shared__ static
#define UNCHECKED __attribute__((no_sanitize_address))

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

// Memory that a kernel may use: an array, or what is static here, above all what it shares.
struct Room {
    uintptr_t begin;
    size_t bytes;
};

struct Rooms {
    const Room* sorted;
    size_t count;
};

struct Fiber {
    jmp_buf at;  // ucontext begins a fiber; from then on jumps are much quicker
    char* stack;
    bool begun, done;
};

static Rooms arrays, statics;
static Fiber fibers[most_threads], *running;
static jmp_buf scheduler;
static Barrier of_block, of_warp[most_threads / warp_size];
static int exchanged[most_threads];
static const char* fault;
static bool moved;  // whether a thread came to its end, or all to a barrier, since the scheduler last looked
static void (*body)(const void*);
static const void* body_argument;

UNCHECKED static void leave() {
    if (!_setjmp(fibers[threadIdx.x].at)) _longjmp(scheduler, 1);
}

UNCHECKED static bool holds(const Rooms& rooms, uintptr_t at, size_t bytes) {
    const Room* last = rooms.sorted + rooms.count - 1;
    if (!rooms.count || at < rooms.sorted->begin || at >= last->begin + last->bytes) return false;
    size_t ahead = 0;  // so many begin ahead of the address, or there
    for (size_t end = rooms.count; ahead < end;) {
        const size_t half_way = (ahead + end) / 2;
        if (rooms.sorted[half_way].begin <= at)
            ahead = half_way + 1;
        else
            end = half_way;
    }
    return at + bytes <= rooms.sorted[ahead - 1].begin + rooms.sorted[ahead - 1].bytes;
}

static intptr_t distance(const Room& room, uintptr_t at) {
    return at < room.begin ? room.begin - at : at - room.begin < room.bytes ? 0 : at - room.begin - room.bytes;
}

static void refuse(uintptr_t at, size_t bytes, const char* does) {
    static char text[200];
    const char* kind = "nothing";
    Room near = {0, 0};
    for (const Rooms* rooms : {&arrays, &statics})
        for (const Room* room = rooms->sorted; room < rooms->sorted + rooms->count; ++room)
            if (distance(*room, at) < distance(near, at)) {
                near = *room;
                kind = rooms == &arrays ? "an array" : "shared memory";
            }
    snprintf(text, sizeof(text), "thread %u of block %u %s %zu bytes at offset %td of %s of %zu bytes", threadIdx.x, blockIdx.x,
             does, bytes, at - near.begin, kind, near.bytes);
    fault = text;
    leave();
}

UNCHECKED static void check(uintptr_t at, size_t bytes, const char* does) {
    if (!running || at - reinterpret_cast<uintptr_t>(running->stack) < stack_bytes) return;
    if (holds(statics, at, bytes) || holds(arrays, at, bytes)) return;
    running = nullptr;
    refuse(at, bytes, does);
}

UNCHECKED static void wait(Barrier& barrier) {
    const unsigned now = barrier.generation;
    if (++barrier.arrived == barrier.wanted) {
        barrier.arrived = 0;
        ++barrier.generation;
        moved = true;
    } else {
        while (barrier.generation == now) leave();
    }
}

UNCHECKED static void run_threads() {
    for (;;) {
        body(body_argument);
        fibers[threadIdx.x].done = moved = true;
        leave();
    }
}

UNCHECKED static void resume(Fiber& fiber) {
    if (_setjmp(scheduler)) {
        running = nullptr;
        return;
    }
    if (!fiber.stack) fiber.stack = new char[stack_bytes];
    running = &fiber;
    if (fiber.begun) _longjmp(fiber.at, 1);
    fiber.begun = true;
    ucontext_t context;
    getcontext(&context);
    context.uc_stack.ss_sp = fiber.stack;
    context.uc_stack.ss_size = stack_bytes;
    makecontext(&context, run_threads, 0);
    setcontext(&context);
}

UNCHECKED static void run_block(bool reversed) {
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
static const char* launch(void (*kernel)(A...), int count, void** given, const int* sizes, const unsigned* grid, unsigned block,
                          Rooms rooms, bool reversed) {
    constexpr int wanted[] = {sizeof(A)...};
    if (count != sizeof...(A)) return "another number of arguments than the kernel takes";
    for (int i = 0; i < count; ++i)
        if (sizes[i] != wanted[i]) return "an argument of another size than the kernel takes";
    auto call = [&]<size_t... I>(std::index_sequence<I...>) UNCHECKED { kernel(*static_cast<A*>(given[I])...); };
    auto thread = [&]() UNCHECKED { call(std::index_sequence_for<A...>()); };
    body = [](const void* work) UNCHECKED { (*static_cast<const decltype(thread)*>(work))(); };
    body_argument = &thread;
    arrays = rooms;
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

// And, by -fsanitize=kernel-address, ahead of every access, and once of all that is static.
#define CHECKED(bytes)                                                                                        \
    extern "C" void __asan_load##bytes##_noabort(uintptr_t at) { host::check(at, bytes, "reads"); }            \
    extern "C" void __asan_store##bytes##_noabort(uintptr_t at) { host::check(at, bytes, "writes"); }
CHECKED(1) CHECKED(2) CHECKED(4) CHECKED(8) CHECKED(16)

extern "C" void __asan_loadN_noabort(uintptr_t at, size_t bytes) {
    host::check(at, bytes, "reads");
}

extern "C" void __asan_storeN_noabort(uintptr_t at, size_t bytes) {
    host::check(at, bytes, "writes");
}

struct Static {
    host::Room room;
    size_t with_redzone;
    const char *name, *file;
    uintptr_t dynamic;
    const void* place;
    uintptr_t indicator;
};

extern "C" void __asan_register_globals(const Static* all, size_t count) {
    host::Room* rooms = new host::Room[count];
    for (size_t i = 0; i < count; ++i) rooms[i] = all[i].room;
    qsort(rooms, count, sizeof(host::Room), [](const void* a, const void* b) {
        return static_cast<const host::Room*>(a)->begin < static_cast<const host::Room*>(b)->begin ? -1 : 1;
    });
    host::statics = {rooms, count};
}

extern "C" void __asan_unregister_globals(const Static*, size_t) {}

extern "C" void __asan_handle_no_return() {}

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
