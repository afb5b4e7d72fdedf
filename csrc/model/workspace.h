// The memory one call works in: time axes, arena, pointers for every edge, row-wise results. Checked out per call, so
// that concurrent calls do not meet; it grows and never shrinks. What was planned for a call stands until one comes that
// differs in anything that the plan follows from (`key_`): a call like the one before only looks at its data.
#pragma once

#include <functional>
#include <vector>

#include "core/memory.h"
#include "core/team.h"
#include "model/gradients.h"
#include "model/network.h"
#include "model/source.h"
#include "training/objective.h"
#include "training/update.h"

namespace tauten {

// The loss of one output that is computed outside.
template <class T>
struct Outside {
    double loss = 0;              // the mean, without its weight in the sum
    const T* gradient = nullptr;  // ∂E/∂output, laid out as predictions are; nullptr: none is needed
};

// What a call is asked to do.
template <class T>
struct Request {
    std::vector<const Source*> x;
    std::vector<const Source*> y;    // one an output; nullptr where nothing is asked of it. Without a loss: empty
    const int64* index = nullptr;    // samples of the batch
    int64 batch = 0;
    // One an output, a number a sample of y, or one a step of each; nullptr: all 1. Empty: none.
    std::vector<const Source*> sample_weight;
    // States that recurrent layers begin with and leave, (batch, units) each in the user's order, numbered as
    // Network::states(); nullptr: zeros, and not wanted. Empty: none.
    std::vector<const T*> initial_states;
    std::vector<T*> final_states;
    const std::vector<T*>* outputs = nullptr;  // where predictions go, one an output
    // Computes losses outside, one an output, when the predictions are there; may throw. No lock is held meanwhile.
    std::function<std::vector<Outside<T>>()> between;
    bool training = false, backward = false, input_gradients = false, loss = false;
    bool keep = false;               // values are kept as for a backward phase
    bool update_stored = false;      // the update follows when all gradients are there, and are finite
    Update rule;                     // of a training step
    Sink<T> sink;
};

// A parameter's stored gradient between phases 3 and 4.
template <class T>
struct StoredGradient {
    Parameter<T>* parameter;
    int64 first_sum;  // of its blocks' sums of squares
    T scale;          // clips it by a norm
};

// Work items of one phase, handed out one by one: part by part, items 0 .. count-1 of each.
struct Phase {
    struct Part {
        void (*run)(void* context, void* what, int64 item, void* scratch);
        void* what;
        int64 items;
    };
    std::vector<Part> parts;
    Items next;

    void add(void (*run)(void*, void*, int64, void*), void* what, int64 items) {
        if (items > 0) parts.push_back({run, what, items});
    }
    // Until nothing is left, or the call is to end early; any number of threads at once.
    void work_off(void* context, void* scratch, const Stop* stop = nullptr);
};

// Rows of one output, what they are compared with, and what came of it.
template <class T>
struct HeadRows {
    int64 rows = 0;
    const Steps* axis = nullptr;  // if the output has time steps
    T* targets = nullptr;
    int32* labels = nullptr;
    T* weights = nullptr;
    double* losses = nullptr;
    double* metrics = nullptr;    // metric by metric
};

// What a call costs, in FLOPs of one way forward, and how its threads may share it.
struct Effort {
    double flops = 0, in_parts = 0;  // of all nodes; of those that compute parts of what they write
    int64 weight_bytes = 0;
    bool synchronised = false;       // some node needs all rows at once
};

template <class T>
class Workspace {
public:
    // Everything the call needs, before any thread runs. False if that stood already: the phases do then, too. Throws
    // std::invalid_argument for sources that do not fit.
    bool prepare(const kernels::Kernels<T>& k, const Network<T>& network, const Objective& objective,
                 const Request<T>& request, int threads);
    // The plan is whole, with what its phases do.
    void planned() { planned_ = !key_.empty(); }
    int64 allocations() const { return allocations_; }
    int64 bytes() const { return arena_.bytes(); }
    // The first of the time rows of the sample at `place` in the user's batch, samples one after the other.
    int64 first_row(const Steps& axis, int64 place) const {
        return axis.full ? place * axis.steps : first_rows_[static_cast<size_t>(place)];
    }

    Call<T> call;
    std::vector<Steps> axes;
    std::vector<int64> order;      // row -> place in the batch
    std::vector<int64> lengths;    // of rows, on every ragged axis; empty if all are equal
    std::vector<Segment> forward_segments, backward_segments;
    std::vector<ProductPlan<T>> products;
    Claims slices;                 // of rows
    Phase refresh, gradients, merge, reuses, norms, update, constraints;
    std::vector<StoredGradient<T>> stored;
    std::vector<double> squares;   // Σg² of each block of a stored gradient
    std::vector<Node<T>*> stale;   // nodes whose derived panels this call makes anew
    std::vector<HeadRows<T>> heads;
    std::vector<char> unread;      // by node: nobody wants what it writes
    std::vector<char> scored;      // by node: the loss has done its backward
    Effort effort;
    T* scratch(int thread) const { return scratch_ + thread * scratch_size_; }

private:
    void read_rows(const Network<T>& network, const Request<T>& request);
    bool same_plan(const Network<T>& network, const Objective& objective, const Request<T>& request, int threads);
    void make_axes(const Network<T>& network, const Request<T>& request);
    void lay_out(const Network<T>& network, const Objective& objective, const Request<T>& request);

    struct Block {
        int64 bytes;
        bool halo;      // must start as zeros
        void** where;
    };
    void place(int64 bytes, bool halo, void** where) { blocks_.push_back({bytes, halo, where}); }

    RawBuffer arena_;
    int64 allocations_ = 0;
    bool planned_ = false;
    std::vector<int64> key_, fresh_key_;  // of the plan that stands, if it may be used again; of this call
    std::vector<int64> first_rows_;
    std::vector<int64> axis_numbers_;   // active and offset of all axes
    std::vector<Block> blocks_;
    std::vector<int64> signature_, fresh_signature_;
    std::vector<int64> extra_bytes_;
    std::vector<void*> values_, gradients_, extra_;
    std::vector<void*> partials_;
    struct HeadBlocks {
        void *targets = nullptr, *labels = nullptr, *weights = nullptr, *losses = nullptr, *metrics = nullptr;
    };
    std::vector<HeadBlocks> head_blocks_;
    void* scratch_block_ = nullptr;
    T* scratch_ = nullptr;
    int64 scratch_size_ = 0;
};

}  // namespace tauten
