// Threads and instruction sets.
#include <algorithm>

#include "bindings/arrays.h"
#include "bindings/unlocked.h"
#include "core/team.h"
#include "kernels/table.h"

namespace tauten::bindings {

void bind_machine(py::module_& module) {
    module.def("num_threads", &threads);
    module.def("set_num_threads", &set_threads, py::arg("threads"));
    module.def("default_num_threads", &default_threads);
    module.def("work_a_thread", &work_a_thread);
    module.def("set_work_a_thread", &set_work_a_thread, py::arg("flops"));
    module.def("all_finite", [](const py::array& array) {
        const auto look = [&]<class T>(const T* x) {
            constexpr int64 piece = int64{1} << 24;
            const int64 n = array.size();
            return unlocked(n > piece, [&] {
                const Stop stop(Watch::current() != nullptr);
                for (int64 i = 0; i < n; i += piece) {
                    if (stop.now()) throw Interrupted{};
                    if (!kernels::table<T>().all_finite(std::min(piece, n - i), x + i)) return false;
                }
                return true;
            });
        };
        require(array.flags() & py::array::c_style, "all_finite: expected a contiguous array");
        if (py::isinstance<py::array_t<float>>(array)) return look(static_cast<const float*>(array.data()));
        require(py::isinstance<py::array_t<double>>(array), "all_finite: expected float32 or float64");
        return look(static_cast<const double*>(array.data()));
    }, py::arg("array"));
    module.def("isa", [] { return kernels::level_name(kernels::level()); });
    module.def("isa_levels", [] {
        py::list names;
        for (auto level : {kernels::Level::baseline, kernels::Level::avx2, kernels::Level::avx512})
            if (kernels::level_available(level)) names.append(kernels::level_name(level));
        return names;
    });
}

}  // namespace tauten::bindings
