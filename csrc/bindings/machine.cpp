// Threads and instruction sets.
#include "bindings/arrays.h"
#include "core/team.h"
#include "kernels/table.h"

namespace tauten::bindings {

void bind_machine(py::module_& module) {
    module.def("num_threads", &threads);
    module.def("set_num_threads", &set_threads, py::arg("threads"));
    module.def("default_num_threads", &default_threads);
    module.def("isa", [] { return kernels::level_name(kernels::level()); });
    module.def("isa_levels", [] {
        py::list names;
        for (auto level : {kernels::Level::baseline, kernels::Level::avx2, kernels::Level::avx512})
            if (kernels::level_available(level)) names.append(kernels::level_name(level));
        return names;
    });
}

}  // namespace tauten::bindings
