// Aligned memory. A Buffer starts on a cache line (large ones on a huge page), is zero-filled when it grows,
// and is followed by readable zeros, which kernels may load (kernels::slack) but never store to.
#pragma once

#include "core/types.h"

namespace tauten {

class RawBuffer {
public:
    RawBuffer() = default;
    RawBuffer(RawBuffer&& other) noexcept;
    RawBuffer& operator=(RawBuffer&& other) noexcept;
    RawBuffer(const RawBuffer&) = delete;
    RawBuffer& operator=(const RawBuffer&) = delete;
    ~RawBuffer();

    // At least `bytes` bytes. When that is more than there is, new zero-filled memory replaces the old
    // (contents are lost) and the result is true.
    bool reserve(int64 bytes);
    void* data() const { return data_; }
    int64 bytes() const { return bytes_; }

private:
    void* data_ = nullptr;
    int64 bytes_ = 0;
};

template <class T>
class Buffer {
public:
    Buffer() = default;
    explicit Buffer(int64 size) { reserve(size); }
    bool reserve(int64 size) {
        const bool grown = raw_.reserve(size * static_cast<int64>(sizeof(T)));
        if (size > size_) size_ = size;
        return grown;
    }
    T* data() const { return static_cast<T*>(raw_.data()); }
    int64 size() const { return size_; }
    T& operator[](int64 i) const { return data()[i]; }

private:
    RawBuffer raw_;
    int64 size_ = 0;
};

}  // namespace tauten
