// Phases 3 and 4: the products that give weight gradients, shared out as blocks of weights, and what becomes of
// each finished block.
#pragma once

#include <atomic>
#include <cassert>
#include <vector>

#include "layers/node.h"

namespace tauten {

// What happens to a finished gradient block.
template <class T>
struct Sink {
    bool store = false;   // into parameter.gradient (materialised mode)
    bool update = false;  // weights -= ... at once (fused mode)
    kernels::UpdateSettings<T> settings{};
    std::atomic<const Parameter<T>*>* not_finite = nullptr;  // store: where a gradient that is not finite is reported

    // Of a parameter that stands in one place; of one in several the place's share is kept until all are there.
    void finish(const kernels::Kernels<T>& k, Parameter<T>& parameter, int64 offset, int64 count, const T* gradient) const;
    void finish_whole(const kernels::Kernels<T>& k, Parameter<T>& parameter, int64 offset, int64 count, const T* gradient) const;
    void step(const kernels::Kernels<T>& k, Parameter<T>& parameter, int64 offset, int64 count, const T* gradient) const;
    // Of stored gradients that are to be clipped by a norm: penalty and accumulator are put into them, and Σg² returned;
    // then comes the step, with the scale that clips.
    double finish_stored(const kernels::Kernels<T>& k, Parameter<T>& parameter, int64 offset, int64 count) const;
    void step_scaled(const kernels::Kernels<T>& k, Parameter<T>& parameter, int64 offset, int64 count, T scale) const;
};

// A product, or two that read the same B (a recurrent layer's), cut into items: blocks of rows of W x groups of panels
// x stretches of the sum over K. The rows of two W count as one above the other. Stretches depend on the shapes only;
// with several, each writes a partial sum, and partials are added in order (phase 4).
template <class T>
struct ProductPlan {
    Product<T>* products[2] = {};
    int64 count = 0;
    const Tiled<T>* tiled = nullptr;
    TiledBlock tiled_block{};
    int64 rows = 0, block_rows = 0, blocks = 0;
    int64 panels = 0, group_panels = 0, groups = 0;
    int64 lines = 0, stretches = 1;
    T* partials = nullptr;       // stretches x (all parameters), if stretches > 1

    // Whether the product shares the plan's B; then it is added.
    bool add(Product<T>* product, const Product<T>* before);
    void cut(const kernels::Kernels<T>& k, const Call<T>& call);
    int64 items() const { return blocks * groups * stretches; }
    int64 partial_size() const { return stretches > 1 ? stretches * weights() : 0; }
    // Elements of scratch that an item needs.
    int64 scratch() const;
    void run(const kernels::Kernels<T>& k, const Call<T>& call, const Sink<T>& sink, int64 item, T* scratch) const;
    // Phase 4, if there are partials: items of a few thousand weights.
    int64 merge_items() const;
    void merge(const kernels::Kernels<T>& k, const Sink<T>& sink, int64 item, T* scratch) const;

private:
    Parameter<T>* bias() const { return products[0]->bias; }
    void cut_tiled(const Call<T>& call);
    void run_tiled(const kernels::Kernels<T>& k, const Call<T>& call, const Sink<T>& sink, int64 item, T* scratch) const;
    // Kernels, then the bias: the order in a partial sum.
    Parameter<T>* parameter(int64 i) const { return (i < count) ? products[i]->kernel : i == count ? bias() : nullptr; }
    int64 size(int64 i) const {
        assert(count <= 2);
        return i < count ? products[i]->kernel->size() : products[0]->bias_size();
    }
    int64 weights() const;
};

// Weights of a merge item or an update item.
inline constexpr int64 merge_weights = 4096;

}  // namespace tauten
