#include "core/fork.h"

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif

namespace tauten {

// All of them, in the order they were made: before a fork forwards, after it backwards.
class ForkRegistry {
public:
    // Never destroyed: a fork may come while the process ends.
    static ForkRegistry& get() {
        static ForkRegistry* const registry = new ForkRegistry;
        return *registry;
    }

    void add(ForkAware* one) {
        std::lock_guard lock(mutex_);
        one->previous_ = last_;
        (last_ ? last_->next_ : first_) = one;
        last_ = one;
    }
    void remove(ForkAware* one) {
        std::lock_guard lock(mutex_);
        (one->previous_ ? one->previous_->next_ : first_) = one->next_;
        (one->next_ ? one->next_->previous_ : last_) = one->previous_;
    }

private:
    ForkRegistry() {
#if defined(__unix__) || defined(__APPLE__)
        pthread_atfork([] { get().before(); }, [] { get().after(false); }, [] { get().after(true); });
#endif
    }
    void before() {
        mutex_.lock();
        for (ForkAware* one = first_; one; one = one->next_) one->before_fork();
    }
    void after(bool child) {
        for (ForkAware* one = last_; one; one = one->previous_) one->after_fork(child);
        mutex_.unlock();
    }

    std::mutex mutex_;
    ForkAware *first_ = nullptr, *last_ = nullptr;
};

ForkAware::ForkAware() { ForkRegistry::get().add(this); }
ForkAware::~ForkAware() { ForkRegistry::get().remove(this); }

}  // namespace tauten
