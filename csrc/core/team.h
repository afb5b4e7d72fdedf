// The team of threads: the only place that knows OpenMP. One parallel region a native call; inside it
// members share out work by index and meet at barriers.
#pragma once

#include <atomic>
#include <memory>

#include "core/interrupt.h"
#include "core/types.h"

namespace tauten {

// Where a team meets. Waiting spins for some microseconds, then sleeps: on a busy machine the thread that is waited for
// may need this processor.
class Meeting {
public:
    void wait(int count, const Stop* stop);

private:
    alignas(64) std::atomic<int> arrived_{0};
    alignas(64) std::atomic<uint32> generation_{0};
};

struct Member {
    int index;  // 0 .. count - 1
    int count;  // threads that were really granted
    Meeting* meeting;
    const Stop* stop = nullptr;  // that members agree on at barriers
    void barrier() const {
        if (count > 1)
            meeting->wait(count, stop);
        else if (stop)
            stop->agree();
    }
};

// Work items handed out one by one. Every item computes the same bits whoever takes it.
class Items {
public:
    void reset() { next_.store(0, std::memory_order_relaxed); }
    int64 take() { return next_.fetch_add(1, std::memory_order_relaxed); }

private:
    alignas(64) std::atomic<int64> next_{0};
};

// Work that has a member it belongs to, whose caches may hold its data: each member takes its own, then what others have
// not begun.
class Claims {
public:
    void reset(int64 count) {
        if (count > capacity_) taken_ = std::make_unique<std::atomic<bool>[]>(static_cast<size_t>(capacity_ = count));
        count_ = count;
        for (int64 i = 0; i < count; ++i) taken_[static_cast<size_t>(i)].store(false, std::memory_order_relaxed);
    }
    // -1: nothing is left.
    int64 take(int64 own) {
        for (int64 i = 0; i < count_; ++i) {
            const int64 item = (own + i) % count_;
            if (!taken_[static_cast<size_t>(item)].exchange(true, std::memory_order_relaxed)) return item;
        }
        return -1;
    }

private:
    std::unique_ptr<std::atomic<bool>[]> taken_;
    int64 count_ = 0, capacity_ = 0;
};

// Runs body(context, member) on up to `threads` threads, denormals flushed to zero in it. The body must not throw.
// Calls at the same time share the threads: each gets those that are left, itself at least.
void run_team(int threads, void (*body)(void* context, const Member&), void* context);

template <class Body>
void run_team(int threads, Body&& body) {
    run_team(
        threads, [](void* context, const Member& member) { (*static_cast<Body*>(context))(member); }, &body);
}

// min(affinity, cgroup v1/v2 quota, physical cores, OMP_NUM_THREADS, OMP_THREAD_LIMIT), at least 1; TAUTEN_NUM_THREADS
// overrides it.
int default_threads();
// Threads of every following call; at least 1. Throws std::invalid_argument outside 1 .. 1024.
void set_threads(int64 threads);
int threads();
// FLOPs that make up for one more thread, which `python -m benchmarks.threads` looks at; 0: all threads for any call.
double work_a_thread();
void set_work_a_thread(double flops);

}  // namespace tauten
