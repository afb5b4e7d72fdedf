#include "core/machine.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <utility>

#include "core/check.h"

#if defined(__linux__)
#include <sched.h>
#endif

namespace tauten {

#if defined(__linux__)

namespace {

// Processors of the affinity mask, hyper-threads of one core counted once.
int cores_in_affinity() {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof(set), &set) != 0) return static_cast<int>(std::thread::hardware_concurrency());
    std::set<std::pair<long, long>> cores;  // (package, core)
    int processors = 0;
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
        if (!CPU_ISSET(cpu, &set)) continue;
        ++processors;
        const std::string topology = text("/sys/devices/system/cpu/cpu", cpu, "/topology/");
        long package = -1, core = -1;
        std::ifstream(text(topology, "physical_package_id")) >> package;
        std::ifstream(text(topology, "core_id")) >> core;
        cores.insert(core < 0 ? std::pair<long, long>{-1, cpu} : std::pair<long, long>{package, core});
    }
    return std::min<int>(processors, static_cast<int>(cores.size()));
}

// Quota of one cgroup folder in processors, or infinity.
double quota_v2(const std::string& folder) {
    std::ifstream file(text(folder, "/cpu.max"));
    double quota = -1, period = 0;  // "max" is no number
    return file >> quota >> period && quota > 0 && period > 0 ? quota / period : INFINITY;
}

double quota_v1(const std::string& folder) {
    double quota = -1, period = 0;
    std::ifstream(text(folder, "/cpu.cfs_quota_us")) >> quota;
    std::ifstream(text(folder, "/cpu.cfs_period_us")) >> period;
    return quota > 0 && period > 0 ? quota / period : INFINITY;
}

}  // namespace

double cgroup_quota(const std::string& root) {
    double tightest = INFINITY;
    std::ifstream file(text(root, "/proc/self/cgroup"));
    const std::string mounts = text(root, "/sys/fs/cgroup");
    std::string row;
    // from the process's own group up to the root of the hierarchy
    const auto climb = [&](const std::string& mount, std::string path, double (*quota)(const std::string&)) {
        for (;;) {
            tightest = std::min(tightest, quota(text(mount, path)));
            if (path.empty() || path == "/") break;
            path.erase(path.find_last_of('/'));
        }
    };
    while (std::getline(file, row)) {
        const size_t first = row.find(':'), second = row.find(':', first + 1);
        if (second == std::string::npos) continue;
        const std::string controllers = text(",", row.substr(first + 1, second - first - 1), ",");
        const std::string path = row.substr(second + 1);
        if (controllers == ",,") climb(mounts, path, quota_v2);
        if (controllers.find(",cpu,") != std::string::npos) {
            climb(text(mounts, "/cpu"), path, quota_v1);
            climb(text(mounts, "/cpu,cpuacct"), path, quota_v1);
        }
    }
    // Inside a container the path above may name folders of the host: the mount's own root counts too.
    return std::min({tightest, quota_v2(mounts), quota_v1(text(mounts, "/cpu"))});
}

int usable_cores() { return cores_within(cores_in_affinity(), cgroup_quota()); }

#else

double cgroup_quota(const std::string&) { return INFINITY; }

int usable_cores() { return cores_within(static_cast<int>(std::thread::hardware_concurrency()), INFINITY); }

#endif

// Rounded down: threads beyond the quota do not add, since all are stopped for the rest of each period once it is used up.
int cores_within(int cores, double quota) {
    return std::max(1, static_cast<int>(std::min<double>(cores, std::floor(quota))));
}

int openmp_limit(const char* threads, const char* limit) {
    int least = std::numeric_limits<int>::max();
    for (const char* value : {threads, limit}) {
        char* end = nullptr;
        const long number = value ? std::strtol(value, &end, 10) : 0;
        if (number >= 1 && end != value && (*end == '\0' || *end == ',' || *end == ' '))
            least = static_cast<int>(std::min<long>(least, number));
    }
    return least;
}

}  // namespace tauten
