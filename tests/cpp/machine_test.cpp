// CPU quotas of containers, read from a folder that looks like /proc and /sys.
#include "core/machine.h"

#include <cmath>
#include <filesystem>
#include <fstream>

#include "check.h"

using namespace tauten;

namespace {

namespace fs = std::filesystem;

class FakeRoot {
public:
    FakeRoot() {
        std::string name = (fs::temp_directory_path() / "tauten-machine-XXXXXX").string();
        path_ = mkdtemp(name.data());
    }
    ~FakeRoot() { fs::remove_all(path_); }
    FakeRoot(const FakeRoot&) = delete;
    FakeRoot& operator=(const FakeRoot&) = delete;

    void write(const std::string& file, const std::string& content) const {
        const fs::path whole = fs::path(path_) / file;
        fs::create_directories(whole.parent_path());
        std::ofstream(whole) << content;
    }
    double quota() const { return cgroup_quota(path_); }

private:
    std::string path_;
};

}  // namespace

TEST(no_cgroup_no_limit) { CHECK(std::isinf(FakeRoot().quota())); }

TEST(v2_own_group_and_those_above) {
    const FakeRoot root;
    root.write("proc/self/cgroup", "0::/user/job\n");
    root.write("sys/fs/cgroup/user/job/cpu.max", "max 100000\n");
    CHECK(std::isinf(root.quota()));
    root.write("sys/fs/cgroup/user/cpu.max", "350000 100000\n");
    CHECK_NEAR(root.quota(), 3.5, 0);
    root.write("sys/fs/cgroup/user/job/cpu.max", "50000 100000\n");
    CHECK_NEAR(root.quota(), 0.5, 0);
}

TEST(v2_in_a_container_the_mount_is_the_group) {
    const FakeRoot root;
    root.write("proc/self/cgroup", "0::/docker/0123\n");
    root.write("sys/fs/cgroup/cpu.max", "200000 100000\n");
    CHECK_NEAR(root.quota(), 2, 0);
}

TEST(v1) {
    const FakeRoot root;
    root.write("proc/self/cgroup", "3:memory:/a\n2:cpu,cpuacct:/a/b\n1:name=systemd:/a\n");
    root.write("sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_quota_us", "-1\n");
    root.write("sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_period_us", "100000\n");
    CHECK(std::isinf(root.quota()));
    root.write("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "150000\n");
    root.write("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n");
    CHECK_NEAR(root.quota(), 1.5, 0);
}

// A hierarchy of v2 beside those of v1, which have the processors.
TEST(v1_beside_v2_in_a_container) {
    const FakeRoot root;
    root.write("proc/self/cgroup", "2:cpu:/docker/0123\n0::/docker/0123\n");
    root.write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "250000\n");
    root.write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    CHECK_NEAR(root.quota(), 2.5, 0);
}

TEST(unreadable_files_limit_nothing) {
    const FakeRoot root;
    root.write("proc/self/cgroup", "nonsense\n0::/\n");
    for (const char* content : {"", "max 100000\n", "many 100000\n", "-1 100000\n", "100000 0\n", "100000\n"}) {
        root.write("sys/fs/cgroup/cpu.max", content);
        CHECK(std::isinf(root.quota()));
    }
    CHECK(usable_cores() >= 1);
}

TEST(never_more_threads_than_the_quota) {
    CHECK(cores_within(8, INFINITY) == 8);
    CHECK(cores_within(8, 3.999) == 3);
    CHECK(cores_within(8, 1.5) == 1);
    CHECK(cores_within(8, 0.25) == 1);
    CHECK(cores_within(2, 64) == 2);
    CHECK(cores_within(0, INFINITY) == 1);
}

TEST(openmp_variables_limit) {
    const int none = openmp_limit(nullptr, nullptr);
    CHECK(none > 1000000);
    CHECK(openmp_limit("3", nullptr) == 3);
    CHECK(openmp_limit("4,2,1", nullptr) == 4);
    CHECK(openmp_limit(" 4 ", "3") == 3);
    CHECK(openmp_limit(nullptr, "1") == 1);
    CHECK(openmp_limit("0", "-1") == none);
    CHECK(openmp_limit("", "two") == none);
    CHECK(openmp_limit("2x", "99999999999999999999") == none);
}

CHECK_MAIN("machine_test")
