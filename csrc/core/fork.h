// What a fork must find whole, and what a child must make anew: the threads that held or served it are not there.
#pragma once

#include <mutex>

namespace tauten {

class ForkAware {
public:
    ForkAware();
    virtual ~ForkAware();
    ForkAware(const ForkAware&) = delete;
    ForkAware& operator=(const ForkAware&) = delete;

    // In the forking thread, before and after; child: in the new process, whose only thread it is.
    virtual void before_fork() = 0;
    virtual void after_fork(bool child) = 0;

private:
    friend class ForkRegistry;
    ForkAware *previous_ = nullptr, *next_ = nullptr;
};

// A mutex that nobody holds in a child.
class ForkMutex : ForkAware {
public:
    ForkMutex() = default;
    void lock() { mutex_.lock(); }
    void unlock() { mutex_.unlock(); }

private:
    void before_fork() override { mutex_.lock(); }
    void after_fork(bool) override { mutex_.unlock(); }

    std::mutex mutex_;
};

}  // namespace tauten
