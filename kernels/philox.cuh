// Random numbers by counting: Philox4x32 with ten rounds, the block cipher of Salmon, Moraes, Dror and Shaw, "Parallel
// random numbers: as easy as 1, 2, 3" (2011). Number i of a stream is a function of the seed and of i alone, so that every
// thread makes its own, and where a stream stands is one integer.
#pragma once

namespace gradkit {

struct words {
    unsigned int x, y, z, w;
};

__host__ __device__ inline unsigned int high_product(unsigned int a, unsigned int b) {
    return (unsigned int)(((unsigned long long)a * b) >> 32);
}

// The block of 128 bits with this number, under a key of 64 bits; each `z` has blocks of its own.
__host__ __device__ inline words philox(unsigned long long key, unsigned long long number, unsigned int z = 0) {
    unsigned int x = (unsigned int)number, y = (unsigned int)(number >> 32), w = 0;
    unsigned int k0 = (unsigned int)key, k1 = (unsigned int)(key >> 32);
    for (int round = 0; round < 10; ++round) {
        const unsigned int high_x = high_product(0xD2511F53u, x), low_x = 0xD2511F53u * x;
        const unsigned int high_z = high_product(0xCD9E8D57u, z), low_z = 0xCD9E8D57u * z;
        x = high_z ^ y ^ k0;
        y = low_z;
        z = high_x ^ w ^ k1;
        w = low_x;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return words{x, y, z, w};
}

// 64 random bits.
__host__ __device__ inline unsigned long long word(unsigned long long key, unsigned long long number) {
    const words b = philox(key, number);
    return ((unsigned long long)b.x << 32) | b.y;
}

// Evenly spread over [0, 1): 24 bits of it as float, 53 as double.
__host__ __device__ inline float unit(unsigned long long key, unsigned long long number, float) {
    return (float)(philox(key, number).x >> 8) * 0x1p-24f;
}

__host__ __device__ inline double unit(unsigned long long key, unsigned long long number, double) {
    return (double)(word(key, number) >> 11) * 0x1p-53;
}

// Whether one of four elements that share a block is kept: with probability 1 - p.
__host__ __device__ inline bool kept(const words& b, int which, float p) {
    const unsigned int bits = which & 2 ? (which & 1 ? b.w : b.z) : (which & 1 ? b.y : b.x);
    return (float)(bits >> 8) * 0x1p-24f >= p;
}

__host__ __device__ inline bool kept(unsigned long long key, unsigned long long number, float p) {
    return kept(philox(key, number >> 2, 1), (int)(number & 3), p);
}

// Normal, by Box and Muller's transform of two numbers from (0, 1] and [0, 1).
__host__ __device__ inline float normal(unsigned long long key, unsigned long long number, float) {
    const words b = philox(key, number);
    const float radius = sqrtf(-2.0f * logf(((float)(b.x >> 8) + 1.0f) * 0x1p-24f));
    return radius * cosf(6.2831853071795865f * ((float)(b.y >> 8) * 0x1p-24f));
}

__host__ __device__ inline double normal(unsigned long long key, unsigned long long number, double) {
    const words b = philox(key, number);
    const double u = (double)((((unsigned long long)b.x << 32) | b.y) >> 11), v = (double)((((unsigned long long)b.z << 32) | b.w) >> 11);
    return sqrt(-2.0 * log((u + 1.0) * 0x1p-53)) * cos(6.283185307179586476925 * (v * 0x1p-53));
}

// Exponential of rate 1, by inversion.
template <typename F>
__host__ __device__ inline F waiting(unsigned long long key, unsigned long long number, F like) {
    return -log1p(-unit(key, number, like));
}

}  // namespace gradkit
