// When a call goes alone because its like had less processor time together than it took.
#include "core/crowd.h"

#include <chrono>
#include <thread>

#include "check.h"

using namespace tauten;

TEST(room_until_a_team_loses_time) {
    Crowd crowd;
    CHECK(crowd.has_room(1e6));
    crowd.worked_together(1e6, 1e-3, 0);  // nobody measured
    CHECK(crowd.has_room(1e6));
    crowd.worked_together(1e6, 3e-3, 1e-3);
    CHECK(!crowd.has_room(1e6));
    CHECK(!crowd.has_room(3e6));
    CHECK(crowd.has_room(3.1e6));  // alone it would take longer than with all that was lost
}

TEST(gains_pay_for_a_loss_now_and_then) {
    Crowd crowd;
    for (int i = 0; i < 10; ++i) crowd.worked_together(1e6, 1e-3, 1.9e-3);
    crowd.worked_together(1e6, 9e-3, 1e-3);
    CHECK(crowd.has_room(1e6));
    crowd.worked_together(1e6, 3e-3, 1e-3);  // one more is beyond them
    CHECK(!crowd.has_room(1e6));
}

TEST(gains_are_not_kept_for_ever) {
    Crowd crowd;
    for (int i = 0; i < 1000; ++i) crowd.worked_together(1e6, 1e-3, 1.9e-3);
    crowd.worked_together(1e6, 22e-3, 1e-3);
    CHECK(!crowd.has_room(1e6));
}

TEST(a_loss_is_paid_by_calls_alone) {
    Crowd crowd;
    crowd.worked_together(1e6, 3e-3, 1e-3);
    for (int i = 0; i < 31; ++i) crowd.worked_alone(1e-3);
    CHECK(!crowd.has_room(1e6));
    crowd.worked_alone(1e-3 + 1e-9);
    CHECK(crowd.has_room(1e6));
}

TEST(a_process_that_was_stopped_soon_tries_again) {
    Crowd crowd;
    crowd.worked_together(1e6, 3600, 1e-3);
    crowd.worked_alone(0.99);
    CHECK(!crowd.has_room(1e6));
    crowd.worked_alone(0.02);
    CHECK(crowd.has_room(1e6));
}

TEST(seconds_of_a_thread_are_those_that_it_ran) {
    const auto begin = thread_seconds();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    CHECK(thread_seconds() - begin < 0.02);
    const double until = thread_seconds() + 0.01;
    const auto start = std::chrono::steady_clock::now();
    while (thread_seconds() < until) {}
    CHECK(std::chrono::steady_clock::now() - start > std::chrono::milliseconds(9));
}

CHECK_MAIN("crowd_test")
