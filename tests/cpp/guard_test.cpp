// The lock over weights: who may be in at once, in which order, and what a signal and a fork do to those that wait.
#include "core/guard.h"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <shared_mutex>
#include <thread>
#include <vector>

#include "check.h"
#include "core/interrupt.h"

using namespace tauten;

namespace {

void pause_ms(int ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

std::atomic<int> handled{0};

}  // namespace

TEST(readers_share_writers_do_not) {
    Guard guard;
    std::atomic<int> readers{0}, writers{0}, most_readers{0}, wrong{0};
    int sum = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i)
        threads.emplace_back([&, i] {
            for (int n = 0; n < 300; ++n) {
                if (i < 2) {
                    std::unique_lock lock(guard);
                    if (++writers != 1 || readers != 0) ++wrong;
                    ++sum;
                    --writers;
                } else {
                    std::shared_lock lock(guard);
                    const int now = ++readers;
                    if (now > most_readers) most_readers = now;
                    if (writers != 0) ++wrong;
                    if (n % 50 == 0) pause_ms(1);
                    --readers;
                }
            }
        });
    for (auto& thread : threads) thread.join();
    CHECK(wrong == 0);
    CHECK(sum == 600);
    CHECK(most_readers > 1);
}

// Readers that never leave a gap between them do not keep a writer out, nor writers a reader.
TEST(nobody_starves) {
    Guard guard;
    std::atomic<bool> stop{false};
    std::atomic<int> written{0}, read{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&, i] {
            while (!stop) {
                if (i < 3) {
                    std::shared_lock lock(guard);
                    std::this_thread::sleep_for(std::chrono::microseconds(300));
                    ++read;
                } else {
                    std::unique_lock lock(guard);
                    std::this_thread::sleep_for(std::chrono::microseconds(300));
                    ++written;
                }
            }
        });
    for (int i = 0; i < 500 && (written < 20 || read < 20); ++i) pause_ms(10);
    stop = true;
    for (auto& thread : threads) thread.join();
    CHECK(written >= 20);
    CHECK(read >= 20);
}

TEST(an_interrupt_ends_waiting) {
    std::signal(SIGINT, [](int) { ++handled; });
    Guard guard;
    std::atomic<bool> held{false}, stop{false};
    std::thread writer([&] {
        std::unique_lock lock(guard);
        held = true;
        while (!stop) pause_ms(1);
    });
    while (!held) pause_ms(1);
    bool interrupted = false;
    {
        Watch watch;
        CHECK(Watch::current() == &watch);
        std::thread sender([] {
            pause_ms(50);
            kill(getpid(), SIGINT);
        });
        try {
            std::shared_lock lock(guard);
        } catch (const Interrupted&) {
            interrupted = true;
        }
        sender.join();
    }
    CHECK(interrupted);
    CHECK(handled == 1);  // whoever had the signal has it still
    CHECK(Watch::current() == nullptr);
    stop = true;
    writer.join();
    std::unique_lock lock(guard);  // it left the queue
    struct sigaction now;
    sigaction(SIGINT, nullptr, &now);
    CHECK(!(now.sa_flags & SA_SIGINFO));  // and the watch is gone
}

TEST(other_threads_are_not_interrupted) {
    std::thread([] {
        Watch watch;
        CHECK(Watch::current() == nullptr);
        watch.install();
        CHECK(!watch.installed());
    }).join();
}

// A fork waits for the writer; in the child nobody is in, and nobody waits.
TEST(a_fork_finds_it_free) {
    Guard guard;
    std::atomic<bool> held{false}, stop{false};
    int half = 0;
    std::thread writer([&] {
        while (!stop) {
            std::unique_lock lock(guard);
            half = 1;
            held = true;
            pause_ms(5);
            half = 0;
        }
    });
    std::thread reader([&] {
        while (!stop) std::shared_lock lock(guard);
    });
    while (!held) pause_ms(1);
    for (int i = 0; i < 20; ++i) {
        const pid_t child = fork();
        if (child == 0) {
            alarm(20);
            std::unique_lock lock(guard);
            _exit(half == 0 ? 0 : 1);
        }
        int status = -1;
        waitpid(child, &status, 0);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    stop = true;
    writer.join();
    reader.join();
}

CHECK_MAIN("guard_test")
