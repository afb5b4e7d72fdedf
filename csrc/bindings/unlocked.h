// Native work with the GIL given back, and Ctrl-C noticed in it.
#pragma once

#include <chrono>
#include <mutex>
#include <shared_mutex>
#include <type_traits>

#include "bindings/network.h"
#include "core/interrupt.h"

namespace tauten::bindings {

// f() while other Python threads may run. Python's signal handlers are asked before it, if it may be long, and when SIGINT
// ends it early: if they raise, that is what the call does; if not, it begins again, since nothing has changed.
template <class F>
auto unlocked(bool may_be_long, F&& f) {
    Watch watch;
    if (may_be_long) watch.install();
    if (watch.installed() && PyErr_CheckSignals() != 0) throw py::error_already_set();
    for (;;) {
        try {
            py::gil_scoped_release release;
            return f();
        } catch (const Interrupted&) {
        }
        watch.reset();
        if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    }
}

// A call of the network, which may be long if the last one was.
template <class F>
auto unlocked(const PyNetwork& network, F&& f) {
    using Clock = std::chrono::steady_clock;
    constexpr auto long_call = std::chrono::milliseconds(2);
    return unlocked(network.slow().load(std::memory_order_relaxed), [&] {
        const auto begin = Clock::now();
        const auto end = [&] { network.slow().store(Clock::now() - begin > long_call, std::memory_order_relaxed); };
        if constexpr (std::is_void_v<decltype(f())>) {
            f();
            end();
        } else {
            auto result = f();
            end();
            return result;
        }
    });
}

// f() with the weights shared, or to itself. Whoever waits for them must not hold the GIL.
template <class E, class F>
void while_shared(E& engine, F&& f) {
    unlocked(false, [&] {
        std::shared_lock lock(engine.guard());
        f();
    });
}
template <class E, class F>
void while_exclusive(E& engine, F&& f) {
    unlocked(false, [&] {
        std::unique_lock lock(engine.guard());
        f();
    });
}

}  // namespace tauten::bindings
