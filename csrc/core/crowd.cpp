#include "core/crowd.h"

#include <algorithm>
#include <ctime>

namespace tauten {

double thread_seconds() {
#if defined(CLOCK_THREAD_CPUTIME_ID)
    timespec time{};
    if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) == 0)
        return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
#endif
    return 0;
}

void Crowd::worked_together(double flops, double seconds, double processor_seconds) {
    // Trying again costs a sixteenth; what stops a process, little.
    constexpr double most_credit = 20e-3, times_over = 16, most_debt = 1;
    if (processor_seconds <= 0) return;
    const double credit = credit_.load(std::memory_order_relaxed) + processor_seconds - seconds;
    // Calls at the same time may count one gain for another's; nothing hangs on it.
    credit_.store(std::clamp(credit, 0.0, most_credit), std::memory_order_relaxed);
    if (credit >= 0) return;
    most_flops_.store(flops * seconds / processor_seconds, std::memory_order_relaxed);
    debt_.store(std::min(most_debt, -times_over * credit), std::memory_order_relaxed);
}

void Crowd::worked_alone(double seconds) { debt_.fetch_sub(seconds, std::memory_order_relaxed); }

}  // namespace tauten
