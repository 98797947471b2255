// What device templates need of CUDA, for g++: markers, half and bfloat16, and mathematics by overload.
#pragma once

#include <math.h>

#include <cstdint>
#include <cstring>

#define GRADKIT_EITHER inline
#define __host__
#define __device__

using half = _Float16;

struct bfloat16 {
    uint16_t bits;

    bfloat16() = default;
    explicit bfloat16(float x) {
        uint32_t all;
        std::memcpy(&all, &x, 4);
        const uint32_t rounded = all + 0x7fff + (all >> 16 & 1);  // to nearest, ties to even
        bits = x != x ? 0x7fff : rounded >> 16;
    }
    explicit operator float() const {
        const uint32_t all = static_cast<uint32_t>(bits) << 16;
        float x;
        std::memcpy(&x, &all, 4);
        return x;
    }
};
