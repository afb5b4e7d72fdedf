#include "core/team.h"

#include <omp.h>

#include <algorithm>
#include <cstdlib>
#include <thread>
#include <vector>

#include "core/check.h"
#include "core/fork.h"
#include "core/machine.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace tauten {

namespace {

std::atomic<int> wanted_threads{0};
std::atomic<double> flops_a_thread{1e5};
std::atomic<int> busy{0};  // members of all teams at work

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

namespace {

struct Team {
    int threads;
    void (*body)(void*, const Member&);
    void* context;

    void run() const {
        Meeting meeting;
#if defined(TAUTEN_TEAM_OF_THREADS)  // for ThreadSanitizer, which does not see how OpenMP's threads wait for each other
        std::vector<std::thread> others;
        for (int i = 1; i < threads; ++i) others.emplace_back([this, i, &meeting] { work(Member{i, threads, &meeting}); });
        work(Member{0, threads, &meeting});
        for (std::thread& other : others) other.join();
#else
#pragma omp parallel num_threads(threads)
        work(Member{omp_get_thread_num(), omp_get_num_threads(), &meeting});
#endif
    }
    void work(const Member& member) const {
        FlushDenormals flush;
        body(context, member);
        member.barrier();  // OpenMP's own barrier at the end of the region, which spins for long, finds everybody there
    }
};

// OpenMP keeps a pool of threads for every thread that opens a region. In a child after fork() the pool of the one that
// forked is lost, whoever made it, and to use it is to hang; a thread that the child starts gets a new one. So that
// thread opens the regions, and the one that forked waits for it.
class StandIn {
public:
    void run(const Team& team) {
        team_ = &team;
        const uint32 number = ++asked_number_;
        asked_.store(number);  // in one order with notify_one()'s look at who waits, as below
        asked_.notify_one();
        for (uint32 done; (done = done_.load(std::memory_order_acquire)) != number;) done_.wait(done);
    }
    void serve() {
        for (uint32 number = 0;; ++number) {
            asked_.wait(number);
            team_->run();
            done_.store(number + 1);
            done_.notify_one();
        }
    }

private:
    const Team* team_ = nullptr;
    uint32 asked_number_ = 0;
    std::atomic<uint32> asked_{0}, done_{0};
};

thread_local bool forked = false;  // this thread is all that a fork has left of its process
StandIn* stand_in = nullptr;      // of that thread

class TeamAfterFork : ForkAware {
    void before_fork() override {}
    void after_fork(bool child) override {
        if (!child) return;
        busy.store(0);
        forked = true;
        stand_in = nullptr;  // the one that there was is lost, too
    }
};
TeamAfterFork team_after_fork;

// How many of the threads that a call wants it gets: other calls at work take their share of the processors.
class Grant {
public:
    explicit Grant(int wanted) {
        const int free = std::max(wanted, threads()) - busy.load(std::memory_order_relaxed);
        count = std::clamp(free, 1, wanted);
        busy.fetch_add(count, std::memory_order_relaxed);
    }
    ~Grant() { busy.fetch_sub(count, std::memory_order_relaxed); }
    Grant(const Grant&) = delete;
    Grant& operator=(const Grant&) = delete;
    int count;
};

}  // namespace

// The last to arrive opens the next generation.
void Meeting::wait(int count, const Stop* stop) {
    constexpr int spins = 2000;
    const uint32 generation = generation_.load(std::memory_order_acquire);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) == count - 1) {
        if (stop) stop->agree();
        arrived_.store(0, std::memory_order_relaxed);
        // In one order with notify_all()'s look at who waits: else it may miss one that sleeps on the old number for ever.
        generation_.store(generation + 1);
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
    const Grant granted(std::max(threads, 1));
    if (granted.count == 1) {
        FlushDenormals flush;
        body(context, Member{0, 1, nullptr});
        return;
    }
    const Team team{granted.count, body, context};
    if (!forked) return team.run();
    if (!stand_in) std::thread(&StandIn::serve, stand_in = new StandIn).detach();
    stand_in->run(team);
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
        return std::min(usable_cores(), openmp_limit(std::getenv("OMP_NUM_THREADS"), std::getenv("OMP_THREAD_LIMIT")));
    }();
    return count;
}

void set_threads(int64 threads) {
    require(threads >= 1 && threads <= 1024, "set_num_threads: expected 1 to 1024 threads, got ", threads);
    wanted_threads.store(static_cast<int>(threads));
}

double work_a_thread() { return flops_a_thread.load(std::memory_order_relaxed); }

void set_work_a_thread(double flops) {
    require(flops >= 0, "set_work_a_thread: expected 0 FLOPs or more, got ", flops);
    flops_a_thread.store(flops, std::memory_order_relaxed);
}

int threads() {
    const int wanted = wanted_threads.load(std::memory_order_relaxed);
    return wanted > 0 ? wanted : default_threads();
}

}  // namespace tauten
