// How many processors this process may really use.
#pragma once

namespace tauten {

// min(CPU affinity, cgroup v1/v2 quota rounded up, physical cores), at least 1.
int usable_cores();

}  // namespace tauten
