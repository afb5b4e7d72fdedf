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

// Room for so many bytes: large buffers are made of whole huge pages.
bool large(int64 bytes) { return bytes >= 2 * huge_page; }
int64 room(int64 bytes) { return round_up(bytes + tail, large(bytes) ? huge_page : line); }

#if defined(__linux__)
// Zeros straight from the system: a page costs nothing before it is written, as weights never are that another network
// lends, or that are made for their shapes alone.
void* zero_pages(int64 size) {
    const size_t bytes = static_cast<size_t>(size), step = static_cast<size_t>(huge_page);
    void* const got = mmap(nullptr, bytes + step, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (got == MAP_FAILED) return nullptr;
    char* const begin = static_cast<char*>(got);
    const size_t past = reinterpret_cast<size_t>(begin) % step, before = past ? step - past : 0;
    if (before) munmap(begin, before);
    if (before < step) munmap(begin + before + bytes, step - before);
#if defined(MADV_HUGEPAGE)
    madvise(begin + before, bytes, MADV_HUGEPAGE);
#endif
    return begin + before;
}
#endif

void* zeros(int64 bytes) {
    const int64 size = room(bytes);
#if defined(__linux__)
    if (large(bytes)) return zero_pages(size);
#endif
    void* const got = std::aligned_alloc(static_cast<size_t>(line), static_cast<size_t>(size));
    if (got) std::memset(got, 0, static_cast<size_t>(size));
    return got;
}

void give_back(void* data, int64 bytes) {
#if defined(__linux__)
    if (data && large(bytes)) {
        munmap(data, static_cast<size_t>(room(bytes)));
        return;
    }
#endif
    std::free(data);
}

}  // namespace

RawBuffer::RawBuffer(RawBuffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}

RawBuffer& RawBuffer::operator=(RawBuffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
}

RawBuffer::~RawBuffer() { give_back(data_, bytes_); }

bool RawBuffer::reserve(int64 bytes) {
    if (bytes <= bytes_ && data_) return false;
    require(bytes >= 0 && bytes <= largest_size, "a buffer of ", bytes, " bytes cannot be had");
    void* const fresh = zeros(bytes);
    if (!fresh) throw OutOfMemory(text(room(bytes), " bytes of memory cannot be had"));
    give_back(data_, bytes_);
    data_ = fresh;
    bytes_ = bytes;
    return true;
}

}  // namespace tauten
