// Whether the processors are there for a team. What a call's members together had of processor time is about what one
// thread would have needed. A call that took less has gained the difference; one that took longer has lost it: members came
// late, or were waited for while other processes, or other libraries' threads that spin for work, ran in their place. Gains
// are kept, up to 20 ms, for a loss now and then; a loss beyond them is a debt: calls like that one go alone
// until it has been paid many times over, then one tries the team again.
#pragma once

#include <atomic>

#include "core/fork.h"

namespace tauten {

// Seconds of processor time that this thread has had; 0 where nobody tells.
double thread_seconds();

class Crowd : ForkAware {
public:
    // May a call of so many FLOPs ask for a team?
    bool has_room(double flops) const {
        return debt_.load(std::memory_order_relaxed) <= 0 || flops > most_flops_.load(std::memory_order_relaxed);
    }
    // What a team's call took, and what its members had of it.
    void worked_together(double flops, double seconds, double processor_seconds);
    // What a call took that found no room.
    void worked_alone(double seconds);

private:
    void before_fork() override {}
    void after_fork(bool child) override {
        if (!child) return;
        credit_.store(0);
        debt_.store(0);
    }

    std::atomic<double> credit_{0};      // seconds that teams have gained
    std::atomic<double> debt_{0};        // seconds of calls still to go alone
    std::atomic<double> most_flops_{0};  // of such calls: larger ones gain more by a team than it may lose
};

}  // namespace tauten
