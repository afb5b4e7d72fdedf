// How many processors this process may really use.
#pragma once

#include <string>

namespace tauten {

// The tightest CPU quota of this process's cgroup (v1 or v2) and those above it, in processors; infinity without one.
// `root` stands before /proc and /sys, for tests.
double cgroup_quota(const std::string& root = "");

// min(CPU affinity, cgroup v1/v2 quota rounded up, physical cores), at least 1.
int usable_cores();

}  // namespace tauten
