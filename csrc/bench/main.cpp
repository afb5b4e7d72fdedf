// The C++ benchmarks. `python -m benchmarks.native` builds this program, gives it the public workloads and reports; by
// hand:
//
//   tauten_bench [--seconds=S] [--network="NAME BATCH SHAPE LAYER ..."] ... [google-benchmark's flags]
//   TAUTEN_ISA=avx2 tauten_bench --benchmark_filter=gemm_grid/avx2/float
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "bench/families.h"
#include "bench/measure.h"

using namespace tauten;
using namespace tauten::bench;

namespace {

// Layers that none of the public workloads has.
constexpr const char* further_networks[] = {
    "text_b32 32 128 embedding/10000/64 conv/128/5 average_pool/2 dropout/0.5 flatten dense/10",
    "strided_b32 32 28x28x16 conv/32/3/2 conv/64/3/2 flatten dense/10",
    "lstm_b8_h256 8 16x32 lstm/256 dense/10",
};

// The value of a flag --name=value, or nullptr.
const char* value_of(const char* word, const char* name) {
    const std::size_t length = std::strlen(name);
    return std::strncmp(word, name, length) == 0 && word[length] == '=' ? word + length + 1 : nullptr;
}

}  // namespace

int main(int count, char** words) try {
    benchmark::Initialize(&count, words);
    std::vector<Description> networks;
    for (const char* network : further_networks) networks.push_back(parse(network));
    int left = 1;
    for (int i = 1; i < count; ++i)
        if (const char* seconds = value_of(words[i], "--seconds"))
            repetition_seconds = number(seconds);
        else if (const char* network = value_of(words[i], "--network"))
            networks.push_back(parse(network));
        else
            words[left++] = words[i];
    if (benchmark::ReportUnrecognizedArguments(left, words)) return 1;
    add_maths();
    add_elementwise();
    add_pooling();
    add_losses();
    add_updates();
    add_grid();
    add_blocks(networks);
    add_layers(networks);
    add_steps(networks);
    benchmark::RunSpecifiedBenchmarks();
    return 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
}
