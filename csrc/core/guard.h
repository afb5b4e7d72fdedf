// A lock that readers share and writers have to themselves, in the order they came: neither side starves. Waiting ends
// with Interrupted if the thread is watched (core/interrupt.h) and SIGINT comes. A fork waits until it is free, so that a
// child finds what it guards whole.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "core/fork.h"

namespace tauten {

class Guard : ForkAware {
public:
    Guard() = default;
    void lock() { take(true, true); }
    void unlock();
    void lock_shared() { take(false, true); }
    void unlock_shared();
    // Rises from guard to guard, in the order they were made: a fork takes them so, and so must who takes several.
    long number() const { return number_; }

private:
    struct Waiter;

    void before_fork() override;
    void after_fork(bool child) override;
    bool free_for(bool exclusive) const { return !writer_ && (!exclusive || readers_ == 0); }
    void enter(bool exclusive);
    void take(bool exclusive, bool interruptible);
    void leave(Waiter& waiter);
    void admit();

    static std::atomic<long> made_;
    const long number_ = made_++;
    std::mutex mutex_;
    int readers_ = 0;
    bool writer_ = false;
    Waiter *first_ = nullptr, *last_ = nullptr;
};

}  // namespace tauten
