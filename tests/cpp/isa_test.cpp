// Which level runs: TAUTEN_ISA is read once, so that each case gets a process of its own.
#include "check.h"
#include "kernels/table.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>

using namespace tauten;
using namespace tauten::kernels;

namespace {

constexpr Level levels[] = {Level::baseline, Level::avx2, Level::avx512};

// Runs f in a child that has TAUTEN_ISA = isa (unset if nullptr); true if f returned true.
template <class F>
bool in_child(const char* isa, const F& f) {
    std::fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        if (isa != nullptr)
            setenv("TAUTEN_ISA", isa, 1);
        else
            unsetenv("TAUTEN_ISA");
        _exit(f() ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

template <class F>
bool refused(const F& f, const char* part) {
    try {
        f();
    } catch (const std::invalid_argument& e) {
        return std::string(e.what()).find(part) != std::string::npos;
    }
    return false;
}

}  // namespace

TEST(the_best_level_runs_by_default) {
    for (const char* isa : {static_cast<const char*>(nullptr), ""})
        CHECK(in_child(isa, [] {
            for (const Level l : levels)
                if (l > level() && level_available(l)) return false;
            return level_available(level()) && &table<float>() == &table<float>(level());
        }));
}

TEST(a_forced_level_runs) {
    for (const Level l : levels) {
        if (!level_available(l)) continue;
        check::state().context = level_name(l);
        CHECK(in_child(level_name(l), [l] {
            // the vector length of the code that runs, not only the table's word for it
            int64 flops = 0;
            table<float>().fma_peak(1, &flops);
            const int64 bytes = l == Level::avx512 ? 64 : l == Level::avx2 ? 32 : 16;
            return level() == l && table<float>().lanes * 4 == bytes && table<double>().lanes * 8 == bytes &&
                   flops % table<float>().lanes == 0 && table<float>().gemm == table<float>(l).gemm &&
                   table<double>().gemm == table<double>(l).gemm;
        }));
    }
    // tables of different levels are different code
    for (const Level a : levels)
        for (const Level b : levels)
            if (a < b && level_available(a) && level_available(b)) {
                CHECK(table<float>(a).gemm != table<float>(b).gemm);
                CHECK(table<float>(a).lanes != table<float>(b).lanes);
            }
}

TEST(unknown_levels_are_refused) {
    for (const char* isa : {"avx1024", "AVX2", "avx2 ", "0"}) {
        check::state().context = isa;
        CHECK(in_child(isa, [isa] {
            return refused([] { level(); }, isa) && refused([] { level(); }, "baseline") &&
                   refused([] { table<float>(); }, isa);  // and again: the refusal is not remembered as a level
        }));
    }
    for (const Level l : levels)
        if (!level_available(l)) {
            CHECK(in_child(level_name(l), [l] { return refused([] { level(); }, level_name(l)); }));
            CHECK_THROWS(table<float>(l), std::invalid_argument, level_name(l));
        }
}

TEST(every_kernel_is_there) {
    for (const Level l : levels) {
        if (!level_available(l)) continue;
        check::state().context = level_name(l);
        const Kernels<float>& k = table<float>(l);
        CHECK(k.lanes > 0);
        CHECK_EQUAL(k.panel, 2 * k.lanes);
        CHECK(k.tile > 0);
        const void* all[] = {
            (void*)k.gemm, (void*)k.lstm_forward, (void*)k.lstm_backward, (void*)k.forget_gate_forward,
            (void*)k.forget_gate_backward, (void*)k.gru_forward, (void*)k.gru_backward, (void*)k.pack_transposed,
            (void*)k.activate, (void*)k.activation_gradient, (void*)k.softmax, (void*)k.softmax_gradient,
            (void*)k.dropout, (void*)k.max_pool, (void*)k.average_pool, (void*)k.max_pool_gradient,
            (void*)k.average_pool_gradient, (void*)k.column_sums, (void*)k.column_maxima, (void*)k.add, (void*)k.softmax_cross_entropy,
            (void*)k.sigmoid_cross_entropy, (void*)k.squared_error, (void*)k.update, (void*)k.finish_gradient, (void*)k.penalty_sums, (void*)k.all_finite,
            (void*)k.exp, (void*)k.log, (void*)k.tanh, (void*)k.sigmoid, (void*)k.fma_peak};
        for (const void* f : all) CHECK(f != nullptr);
    }
}

CHECK_MAIN("isa_test")
