#include "core/memory.h"

#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "core/check.h"
#include "core/shape.h"

namespace tauten {

namespace {
constexpr int64 line = 64;
constexpr int64 huge_page = int64{2} << 20;
constexpr int64 tail = 1024;  // readable bytes behind the contents: more than kernels::slack doubles
}  // namespace

RawBuffer::RawBuffer(RawBuffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}

RawBuffer& RawBuffer::operator=(RawBuffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
}

RawBuffer::~RawBuffer() { std::free(data_); }

bool RawBuffer::reserve(int64 bytes) {
    if (bytes <= bytes_ && data_) return false;
    require(bytes >= 0 && bytes <= largest_size, "a buffer of ", bytes, " bytes cannot be had");
    const int64 alignment = bytes >= 2 * huge_page ? huge_page : line;
    const int64 size = round_up(bytes + tail, alignment);
    void* fresh = std::aligned_alloc(static_cast<size_t>(alignment), static_cast<size_t>(size));
    if (!fresh) throw OutOfMemory(text(size, " bytes of memory cannot be had"));
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    if (alignment == huge_page) madvise(fresh, static_cast<size_t>(size), MADV_HUGEPAGE);
#endif
    std::memset(fresh, 0, static_cast<size_t>(size));
    std::free(data_);
    data_ = fresh;
    bytes_ = bytes;
    return true;
}

}  // namespace tauten
