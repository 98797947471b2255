// Sorting by eight bits of the keys, in a stable way: each warp has a run of entries side by side.
#pragma once

constexpr int digits = 256;

// body(i, key, place) for each entry of a run, the warp's threads having 32 at a time: the places of a digit count up from
// tally[digit], in the order of the entries. The next keys are asked for before these are dealt with.
template <class Body>
__device__ __forceinline__ void each_entry(const int* keys, int begin, int end, int shift, int* tally, Body body) {
    const int lane = threadIdx.x % 32;
    int next = begin + lane < end ? keys[begin + lane] : 0;
    for (int base = begin; base < end; base += 32) {
        const int i = base + lane, key = next;
        next = i + 32 < end ? keys[i + 32] : 0;
        const int digit = i < end ? key >> shift & (digits - 1) : digits;
        const unsigned same = __match_any_sync(~0u, digit);
        const int lower = __popc(same & ((1u << lane) - 1)), first = i < end ? tally[digit] : 0;
        __syncwarp();
        if (i < end) {
            if (lower == 0) tally[digit] = first + __popc(same);
            body(i, key, first + lower);
        }
        __syncwarp();
    }
}

// Entry i moves to a place: its key, and which it was at first.
struct Moved {
    int *keys, *order;

    __device__ __forceinline__ void put(int place, int key, int which) const {
        keys[place] = key;
        order[place] = which;
    }
};
