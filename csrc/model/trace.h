// What the recurrent layers computed at every step of a call, in the user's order, for diagnostics.
#pragma once

#include <string>
#include <vector>

#include "model/workspace.h"

namespace tauten {

// One recurrent layer, or one direction of a pair.
template <class T>
struct Trace {
    std::string weight;        // the name of its recurrent kernel
    int64 gates = 0, units = 0;
    std::vector<int64> steps;  // of each sample of the batch
    std::vector<T> values;     // [sample][step][gate][unit], gates in Keras' order; step t is step t of the input
};

// Of the call that `work` holds: δ, after its backward phase, or else the gates' values (Recurrent::read_row).
template <class T>
std::vector<Trace<T>> read_traces(const Network<T>& network, const Workspace<T>& work, bool deltas);

}  // namespace tauten
