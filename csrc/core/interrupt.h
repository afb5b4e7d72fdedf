// Ctrl-C in the middle of a native call. Nothing here knows Python: while a call is watched, SIGINT sets a flag and then
// goes to whoever had it before. The call looks at the flag where nothing has changed yet, throws Interrupted, and its
// caller decides.
#pragma once

#include <atomic>

namespace tauten {

// Thrown by a call that ended early. Nothing has changed.
struct Interrupted {};

// The process's first thread: the one that is interrupted.
bool on_main_thread();

// Watches one call of this thread, if it is the main one; there is one watch at a time.
class Watch {
public:
    Watch();
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    // This thread's, or nullptr: its call is not to be interrupted.
    static Watch* current();
    // From here on the flag tells. It costs two system calls, so short calls do without.
    void install();
    bool installed() const { return installed_; }
    bool interrupted() const { return flag().load(std::memory_order_relaxed); }
    void reset() { flag().store(false, std::memory_order_relaxed); }
    static std::atomic<bool>& flag();

private:
    bool installed_ = false;
};

// Whether a call's team should leave out the work that is left. Once somebody has seen the flag, everybody stops.
class Stop {
public:
    explicit Stop(bool watched) : watched_(watched) {}
    // Looks. Members may differ for a moment, so only work is left out by it, never a barrier. Not during an update.
    bool now() const {
        if (stop_.load(std::memory_order_relaxed)) return true;
        if (!watched_ || !Watch::flag().load(std::memory_order_relaxed)) return false;
        stop_.store(true, std::memory_order_relaxed);
        return true;
    }
    // Whether somebody has seen it.
    bool seen() const { return stop_.load(std::memory_order_relaxed); }
    // What all members know alike from one barrier to the next; the last to arrive there says so.
    bool agreed() const { return agreed_.load(std::memory_order_relaxed); }
    void agree() const { agreed_.store(now(), std::memory_order_relaxed); }

private:
    const bool watched_;
    mutable std::atomic<bool> stop_{false}, agreed_{false};
};

}  // namespace tauten
