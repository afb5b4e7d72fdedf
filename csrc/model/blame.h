// Which layer made the first value, or gradient, that is not finite: looked for after a step has failed, in what it left.
#pragma once

#include <string>

#include "model/workspace.h"

namespace tauten {

// "layer 'lstm' is the first whose output is not finite", or that none is. After the forward phase of all rows.
template <class T>
std::string blame_forward(const Network<T>& network, const Workspace<T>& work);

// The same for the gradients that layers send down, from where the losses begin: empty if all are finite. After the
// backward phase of all rows.
template <class T>
std::string blame_backward(const Network<T>& network, const Workspace<T>& work, const Objective& objective);

}  // namespace tauten
