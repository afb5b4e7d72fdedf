// How many processors this process may really use.
#pragma once

#include <string>

namespace tauten {

// The tightest CPU quota of this process's cgroup (v1 or v2) and those above it, in processors; infinity without one.
// `root` stands before /proc and /sys, for tests.
double cgroup_quota(const std::string& root = "");

// min(cores, quota rounded down), at least 1.
int cores_within(int cores, double quota);

// min(CPU affinity, cgroup v1/v2 quota rounded down, physical cores), at least 1.
int usable_cores();

// What OMP_NUM_THREADS (of a list the first number) and OMP_THREAD_LIMIT allow; the largest int without them. What is no
// such number limits nothing: the variables are not ours.
int openmp_limit(const char* threads, const char* limit);

}  // namespace tauten
