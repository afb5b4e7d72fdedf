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

TEST(unreadable_files_limit_nothing) {
    const FakeRoot root;
    root.write("proc/self/cgroup", "nonsense\n0::/\n");
    root.write("sys/fs/cgroup/cpu.max", "");
    CHECK(std::isinf(root.quota()));
    CHECK(usable_cores() >= 1);
}

CHECK_MAIN("machine_test")
