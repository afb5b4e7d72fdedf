// tauten._core: only registers; each family binds itself.
#include "bindings/arrays.h"

PYBIND11_MODULE(_core, module) {
    using namespace tauten;
    module.doc() = "The native core of Tauten.";
    module.attr("__version__") = TAUTEN_VERSION;
    // NOLINTNEXTLINE(performance-unnecessary-value-param): what pybind11 calls
    py::register_exception_translator([](std::exception_ptr error) {
        try {
            if (error) std::rethrow_exception(error);
        } catch (const TypeError& e) {
            PyErr_SetString(PyExc_TypeError, e.what());
        } catch (const NonFiniteError& e) {
            PyErr_SetString(PyExc_FloatingPointError, e.what());
        }
    });
    bindings::bind_machine(module);
    bindings::bind_source(module);
    bindings::bind_network(module);
}
