#include "core/team.h"

#include <omp.h>
#include <pthread.h>

#include <cstdlib>
#include <mutex>

#include "core/check.h"
#include "core/machine.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace tauten {

namespace {

std::atomic<int> wanted_threads{0};
std::atomic<bool> pool_used{false};
std::atomic<bool> pool_lost{false};  // this process was forked after the pool had started

void after_fork_in_child() {
    if (pool_used.load()) pool_lost.store(true);
}

// Denormals are flushed to zero while a member works; the caller's mode comes back afterwards.
class FlushDenormals {
public:
#if defined(__x86_64__)
    FlushDenormals() : before_(_mm_getcsr()) { _mm_setcsr(before_ | 0x8040u); }  // FTZ, DAZ
    ~FlushDenormals() { _mm_setcsr(before_); }

private:
    unsigned before_;
#elif defined(__aarch64__)
    FlushDenormals() {
        asm volatile("mrs %0, fpcr" : "=r"(before_));
        asm volatile("msr fpcr, %0" ::"r"(before_ | (uint64{1} << 24)));
    }
    ~FlushDenormals() { asm volatile("msr fpcr, %0" ::"r"(before_)); }

private:
    uint64 before_;
#endif
};

}  // namespace

// The last to arrive opens the next generation.
void Meeting::wait(int count) {
    constexpr int spins = 2000;
    const uint32 generation = generation_.load(std::memory_order_acquire);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) == count - 1) {
        arrived_.store(0, std::memory_order_relaxed);
        generation_.store(generation + 1, std::memory_order_release);
        generation_.notify_all();
        return;
    }
    for (int i = 0; i < spins; ++i) {
        if (generation_.load(std::memory_order_acquire) != generation) return;
#if defined(__x86_64__)
        _mm_pause();
#endif
    }
    while (generation_.load(std::memory_order_acquire) == generation) generation_.wait(generation);
}

void run_team(int threads, void (*body)(void*, const Member&), void* context) {
    if (threads <= 1 || pool_lost.load(std::memory_order_relaxed)) {
        FlushDenormals flush;
        body(context, Member{0, 1, nullptr});
        return;
    }
    static std::once_flag fork_handler;
    std::call_once(fork_handler, [] { pthread_atfork(nullptr, nullptr, after_fork_in_child); });
    pool_used.store(true, std::memory_order_relaxed);
    Meeting meeting;
#pragma omp parallel num_threads(threads)
    {
        FlushDenormals flush;
        const Member member{omp_get_thread_num(), omp_get_num_threads(), &meeting};
        body(context, member);
        member.barrier();  // OpenMP's own barrier at the end of the region, which spins for long, finds everybody there
    }
}

int default_threads() {
    static const int count = [] {
        if (const char* text_value = std::getenv("TAUTEN_NUM_THREADS")) {
            char* end = nullptr;
            const long value = std::strtol(text_value, &end, 10);
            require(end != text_value && *end == '\0' && value >= 1 && value <= 1024,
                    "TAUTEN_NUM_THREADS must be a number from 1 to 1024, not '", text_value, "'");
            return static_cast<int>(value);
        }
        return usable_cores();
    }();
    return count;
}

void set_threads(int64 threads) {
    require(threads >= 1 && threads <= 1024, "set_num_threads: expected 1 to 1024 threads, got ", threads);
    wanted_threads.store(static_cast<int>(threads));
}

int threads() {
    const int wanted = wanted_threads.load(std::memory_order_relaxed);
    return wanted > 0 ? wanted : default_threads();
}

}  // namespace tauten
