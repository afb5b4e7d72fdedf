// Dropout's mask: Philox4x32-10 over blocks of four elements, as many blocks at a time as a register has 64-bit
// lanes. core/philox.h is the scalar reference, dropout_word() there the definition.
#pragma once

#include "core/philox.h"
#include "kernels/table.h"
#include "simd/loop.h"

namespace tauten::kernels {
namespace {

inline constexpr int64 mask_chunk = 256;  // elements whose words are made at a time

// words[i] of elements 4 * block + i, i < 4 * blocks (rounded up to whole registers); no carry out of the low 32 bits
// of `block` on the way. Each 32-bit word lives in the low half of a 64-bit lane; the high half may hold anything.
TAUTEN_INLINE void philox_words(DropoutKey key, uint64 sample, uint64 block, int64 blocks, uint32* words) {
    constexpr int64 lanes = Vec<double>::lanes;
    const uint32 first_key0 = static_cast<uint32>(key.seed) ^ static_cast<uint32>(key.call >> 32);
    const uint32 first_key1 = static_cast<uint32>(key.seed >> 32) ^ static_cast<uint32>(sample >> 32) ^
                              static_cast<uint32>(block >> 32);
    const Words none{};
    const Words multiplier0 = none + uint64{philox_multipliers[0]}, multiplier1 = none + uint64{philox_multipliers[1]};
    for (int64 b = 0; b < blocks; b += lanes) {
        Words c0 = (Words)lane_numbers<double>() + (block + static_cast<uint64>(b));
        Words c1 = none + (sample & 0xffffffffu), c2 = none + (key.call & 0xffffffffu), c3 = none + uint64{key.layer};
        uint32 key0 = first_key0, key1 = first_key1;
        for (int round = 0; round < philox_rounds; ++round) {
            const Words p0 = multiply_low_halves(multiplier0, c0), p1 = multiply_low_halves(multiplier1, c2);
            c0 = (p1 >> 32) ^ c1 ^ (none + uint64{key0});
            c1 = p1;
            c2 = (p0 >> 32) ^ c3 ^ (none + uint64{key1});
            c3 = p0;
            key0 += philox_weyl[0];
            key1 += philox_weyl[1];
        }
        const Words pair0 = (c0 & 0xffffffffu) | (c1 << 32), pair1 = (c2 & 0xffffffffu) | (c3 << 32);
        uint32* to = words + 4 * b;
        interleave_store(to, pair0, pair1);
    }
}

template <class T>
struct WordLanes {
    typedef uint32 Unaligned __attribute__((vector_size(Vec<T>::lanes * 4), aligned(4), may_alias));
    typedef int32 Mask __attribute__((vector_size(Vec<T>::lanes * 4)));
};
// keep iff word < keep · 2^32: word <= limit, where limit + 1 = ceil(keep · 2^32)
template <class T>
TAUTEN_INLINE Bits<T> at_most(const uint32* words, uint32 limit) {
    using Unaligned = typename WordLanes<T>::Unaligned;
    const auto kept = (typename WordLanes<T>::Mask)(*reinterpret_cast<const Unaligned*>(words) <= limit);
    if constexpr (sizeof(T) == 4)
        return kept;
    else
        return __builtin_convertvector(kept, Bits<T>);
}

// y = u ⊙ x / keep
template <class T>
void dropout(DropoutKey key, T keep, uint64 sample, uint64 first_element, int64 columns, const T* x, T* y) {
    const double threshold = static_cast<double>(keep) * 4294967296.0;
    uint64 kept_words = static_cast<uint64>(threshold);  // ceil(threshold)
    if (static_cast<double>(kept_words) < threshold) ++kept_words;
    if (kept_words == 0) {
        over<T>(columns, [&](int64 i, auto part) { part.store(y + i, zeros<T>()); });
        return;
    }
    if (kept_words > 0xffffffffu) kept_words = uint64{1} << 32;
    const uint32 limit = static_cast<uint32>(kept_words - 1);

    alignas(64) uint32 words[mask_chunk + 4 * Vec<float>::lanes];
    for (int64 done = 0; done < columns;) {
        const uint64 element = first_element + static_cast<uint64>(done), block = element / 4;
        const int64 skipped = static_cast<int64>(element % 4);
        int64 count = mask_chunk - skipped < columns - done ? mask_chunk - skipped : columns - done;
        // stop where the low 32 bits of the block number wrap: the high ones belong to the key
        const uint64 before_wrap = (uint64{1} << 32) - (block & 0xffffffffu);
        if (static_cast<uint64>((skipped + count + 3) / 4) > before_wrap)
            count = static_cast<int64>(4 * before_wrap) - skipped;
        philox_words(key, sample, block, (skipped + count + 3) / 4, words);
        over<T>(count, [&](int64 i, auto part) __attribute__((always_inline)) {
            const Native<T> v = part.load(x + done + i) / keep;
            part.store(y + done + i, select<T>(at_most<T>(words + skipped + i, limit), v, zeros<T>()));
        });
        done += count;
    }
}

}  // namespace
}  // namespace tauten::kernels
