#include "core/guard.h"

#include <chrono>

#include "core/interrupt.h"

namespace tauten {

std::atomic<long> Guard::made_{0};

// One that waits in the queue, on its thread's stack.
struct Guard::Waiter {
    bool exclusive;
    bool admitted = false;
    Waiter *previous = nullptr, *next = nullptr;
    std::condition_variable wake;
};

void Guard::enter(bool exclusive) {
    if (exclusive)
        writer_ = true;
    else
        ++readers_;
}

void Guard::take(bool exclusive, bool interruptible) {
    std::unique_lock lock(mutex_);
    if (!first_ && free_for(exclusive)) {
        enter(exclusive);
        return;
    }
    Waiter self{exclusive, false, last_, nullptr, {}};
    (last_ ? last_->next : first_) = &self;
    last_ = &self;
    Watch* const watch = interruptible ? Watch::current() : nullptr;
    if (!watch) {
        self.wake.wait(lock, [&] { return self.admitted; });
        return;
    }
    constexpr auto look = std::chrono::milliseconds(20);
    watch->install();
    while (!self.wake.wait_for(lock, look, [&] { return self.admitted; })) {
        if (!watch->installed() || !watch->interrupted()) continue;
        leave(self);
        admit();  // those behind it may have waited for it alone
        throw Interrupted{};
    }
}

void Guard::leave(Waiter& waiter) {
    (waiter.previous ? waiter.previous->next : first_) = waiter.next;
    (waiter.next ? waiter.next->previous : last_) = waiter.previous;
}

// Whoever is in front and may; readers behind readers with them.
void Guard::admit() {
    while (Waiter* const waiter = first_) {
        if (!free_for(waiter->exclusive)) return;
        leave(*waiter);
        enter(waiter->exclusive);
        waiter->admitted = true;
        waiter->wake.notify_one();
    }
}

void Guard::unlock() {
    std::lock_guard lock(mutex_);
    writer_ = false;
    admit();
}

void Guard::unlock_shared() {
    std::lock_guard lock(mutex_);
    --readers_;
    admit();
}

void Guard::before_fork() {
    take(true, false);
    mutex_.lock();
}

// In a child nobody waits any more.
void Guard::after_fork(bool child) {
    if (child) first_ = last_ = nullptr;
    writer_ = false;
    admit();
    mutex_.unlock();
}

}  // namespace tauten
