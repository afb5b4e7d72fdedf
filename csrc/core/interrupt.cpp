#include "core/interrupt.h"

#include "core/fork.h"

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#include <signal.h>
#include <unistd.h>
#define TAUTEN_HAS_SIGNALS 1
#endif
#if defined(__linux__)
#include <sys/syscall.h>
#endif

namespace tauten {

namespace {

enum class Role : char { unknown, main, other };
thread_local Role role = Role::unknown;
thread_local Watch* watch = nullptr;
std::atomic<bool> came{false};

#if defined(TAUTEN_HAS_SIGNALS)

struct sigaction before;
bool active = false;  // our handler is in place

void restore() {
    if (active) sigaction(SIGINT, &before, nullptr);
    active = false;
}

void note(int number, siginfo_t* info, void* context) {
    came.store(true, std::memory_order_relaxed);
    if (before.sa_flags & SA_SIGINFO)
        before.sa_sigaction(number, info, context);
    else
        before.sa_handler(number);
}

bool first_thread() {
#if defined(__linux__)
    return static_cast<long>(getpid()) == syscall(SYS_gettid);
#elif defined(__APPLE__)
    return pthread_main_np() != 0;
#else
    return false;
#endif
}

#else

bool first_thread() { return false; }
void restore() {}

#endif

// A child's only thread is its main one, whatever the parent's main thread was at.
class AfterFork : ForkAware {
    void before_fork() override {}
    void after_fork(bool child) override {
        if (!child) return;
        role = Role::main;
        restore();
    }
};
AfterFork after_fork;

}  // namespace

bool on_main_thread() {
    if (role == Role::unknown) role = first_thread() ? Role::main : Role::other;
    return role == Role::main;
}

Watch::Watch() {
    if (!on_main_thread() || watch) return;
    watch = this;
    reset();
}

Watch::~Watch() {
    if (watch == this) watch = nullptr;
    if (installed_) restore();
}

Watch* Watch::current() { return watch; }

std::atomic<bool>& Watch::flag() { return came; }

// A signal that is ignored, or that ends the process, stays as it is.
void Watch::install() {
#if defined(TAUTEN_HAS_SIGNALS)
    if (installed_ || watch != this || sigaction(SIGINT, nullptr, &before) != 0) return;
    if (!(before.sa_flags & SA_SIGINFO) && (before.sa_handler == SIG_DFL || before.sa_handler == SIG_IGN)) return;
    struct sigaction own = before;
    own.sa_sigaction = note;
    own.sa_flags |= SA_SIGINFO;
    reset();
    installed_ = active = sigaction(SIGINT, &own, nullptr) == 0;
#endif
}

}  // namespace tauten
