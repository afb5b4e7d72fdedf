// The families of benchmarks, a file each.
#pragma once

#include <vector>

#include "bench/networks.h"

namespace tauten::bench {

void add_maths();
void add_pooling();
void add_losses();
void add_updates();
void add_elementwise();
// The building block over a grid of products.
void add_grid();
// Of each network: the building block as its layers call it, its layers' parts of a step, whole steps.
void add_blocks(const std::vector<Description>& networks);
void add_layers(const std::vector<Description>& networks);
void add_steps(const std::vector<Description>& networks);

}  // namespace tauten::bench
