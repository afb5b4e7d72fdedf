// Philox4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as
// 1, 2, 3" (SC 2011): 128 random bits as a pure function of a 128-bit counter and a 64-bit key.
// Plain C++; kernels/dropout.h is its vector twin and agrees bit for bit.
#pragma once

#include "core/types.h"

namespace tauten {

inline constexpr uint32 philox_multipliers[2] = {0xD2511F53u, 0xCD9E8D57u};
inline constexpr uint32 philox_weyl[2] = {0x9E3779B9u, 0xBB67AE85u};
inline constexpr int philox_rounds = 10;

struct PhiloxBlock {
    uint32 word[4];
};

inline PhiloxBlock philox(PhiloxBlock counter, uint32 key0, uint32 key1) {
    uint32* c = counter.word;
    for (int round = 0; round < philox_rounds; ++round) {
        const uint64 p0 = uint64{philox_multipliers[0]} * c[0];
        const uint64 p1 = uint64{philox_multipliers[1]} * c[2];
        c[0] = static_cast<uint32>(p1 >> 32) ^ c[1] ^ key0;
        c[1] = static_cast<uint32>(p1);
        c[2] = static_cast<uint32>(p0 >> 32) ^ c[3] ^ key1;
        c[3] = static_cast<uint32>(p0);
        key0 += philox_weyl[0];
        key1 += philox_weyl[1];
    }
    return counter;
}

// The random word of one element of one sample in a dropout mask: kept iff word < keep · 2^32.
inline uint32 dropout_word(uint64 seed, uint64 call, uint32 layer, uint64 sample, uint64 element) {
    const uint64 block = element / 4;
    const PhiloxBlock counter{
        {static_cast<uint32>(block), static_cast<uint32>(sample), static_cast<uint32>(call), layer}};
    const uint32 key0 = static_cast<uint32>(seed) ^ static_cast<uint32>(call >> 32);
    const uint32 key1 = static_cast<uint32>(seed >> 32) ^ static_cast<uint32>(sample >> 32) ^
                        static_cast<uint32>(block >> 32);
    return philox(counter, key0, key1).word[element % 4];
}

}  // namespace tauten
