// What a layer is to the engine: a node that reads edges and writes one, forwards and backwards, for any slice
// of the batch; and the products that give its weights' gradients.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "core/interrupt.h"
#include "core/memory.h"
#include "kernels/table.h"
#include "layers/edge.h"
#include "layers/parameter.h"

namespace tauten {

// Where a node stands: its layer's name, the edge it reads and the edge it writes.
struct Place {
    std::string name;
    int input;
    int output;
};

// One call in flight: its extents, its memory and what is asked of it. Read-only for nodes; the memory it
// points to belongs to the call's workspace.
template <class T>
struct Call {
    const kernels::Kernels<T>* kernels = nullptr;
    int64 batch = 0;
    const Steps* axes = nullptr;
    const int64* order = nullptr;   // order[row] = the row's position in the user's batch
    bool training = false;          // dropout drops
    bool backward = false;          // values are kept for the backward phase
    bool input_gradients = false;   // ∂E/∂x is wanted too
    bool initial_states = false;    // recurrent layers begin with states of the caller's
    bool final_states = false;      // and leave those behind the last step to it
    uint64 number = 0;              // of the training step, for dropout
    T* const* values = nullptr;     // by edge; index edges hold int32
    T* const* gradients = nullptr;  // by edge: δ = ∂E/∂net where the edge has an activation, else ∂E/∂value
    void* const* extra = nullptr;   // the buffers that nodes asked for, each node's from its first_extra on
    std::atomic<const Place*>* trouble = nullptr;  // where a node says that a step must not move its state

    const Stop* stop = nullptr;     // a call that is interrupted leaves out the arithmetic that is left, but no barrier

    bool stopped() const { return stop && stop->now(); }
    // The same for all parts, which meet on their way.
    bool stopped(const Slice& slice) const { return slice.parts == 1 ? stopped() : stop && stop->agreed(); }
    const int32* tokens(int edge) const { return reinterpret_cast<const int32*>(values[edge]); }
};

// Rows of values at a fixed distance.
template <class T>
struct Strided {
    T* data = nullptr;
    int64 stride = 0;
    T* row(int64 i) const { return data + i * stride; }
};

template <class T>
class Tiled;

// One stretch of the sum over K in ∇W = Σ_k A[k, :]ᵀ B[k, :]: A[k, m] = a[k * a_column + m], B[k, n] = b[k * b_row + n].
template <class T>
struct Line {
    const T* a;
    int64 a_column;
    const T* b;
    int64 b_row;
    int64 k;
    int64 place[2] = {};  // of a convolution: the outputs' in the extents in front
};

// A weight gradient as a product summed over batch, positions and time steps (phase 3). The rows of W come in
// groups of `group_rows` (a convolution's kernel rows); group g reads A at a + group_offset[g].
template <class T>
class Product {
public:
    virtual ~Product() = default;
    Parameter<T>* kernel = nullptr;
    Parameter<T>* bias = nullptr;       // ∇b = Σ_k B[k, :], or nullptr
    int64 bias_offset = 0;              // of ∇b in the bias, if that has more rows than this product's
    std::vector<int64> group_offset{0};
    int64 group_rows = 0;
    int64 b_panel = 0;                  // from panel to panel of B; 0: as wide as the kernel's
    // W's columns may come in groups too (a convolution's), each in panels of its own: group j reads A at a + j * a_group
    // and B at b + j * b_group.
    int64 column_groups = 1, a_group = 0, b_group = 0;
    // Line i has the B of line i of the layer's product before this one, or its first rows, or none (k = 0): the two
    // may be taken together. That one has the bias.
    bool follows = false;

    // The sum over K is a sequence of lines, the same for any number of threads.
    virtual int64 lines(const Call<T>& call) const = 0;
    virtual Line<T> line(const Call<T>& call, int64 i) const = 0;
    // Whether group g's A of a line holds anything but the zeros of a halo.
    virtual bool reaches(const Line<T>& line, int64 g) const { (void)line; (void)g; return true; }
    // What sums it in place of lines, if something does.
    virtual const Tiled<T>* tiled(const Call<T>& call) const { (void)call; return nullptr; }
    // K, about
    virtual int64 depth(const Call<T>& call) const = 0;
    bool wanted() const { return kernel->trainable || (bias && bias->trainable); }
    // Elements of the bias that ∇b is for: one row.
    int64 bias_size() const { return bias ? kernel->panels * kernel->width : 0; }
};

// Rows of a long line: as many as are taken at a time (csrc/model/gradients.cpp).
inline constexpr int64 line_rows = 128;

// A line of A and B whose rows follow each other at fixed strides, cut into pieces of line_rows.
template <class T>
Line<T> flat_line(int64 i, int64 rows, const T* a, int64 a_column, const T* b, int64 b_row) {
    const int64 first = i * line_rows;
    return {a + first * a_column, a_column, b + first * b_row, b_row, std::min(line_rows, rows - first)};
}

// Leads (one or all), channels and columns.
struct TiledBlock {
    int64 leads, rows, columns;
};

// A weight gradient summed in another way than line by line (Winograd). The rows of W are (lead, tap, channel).
template <class T>
class Tiled {
public:
    virtual ~Tiled() = default;
    virtual int64 leads() const = 0;
    virtual int64 taps() const = 0;
    virtual int64 channels() const = 0;
    // What is summed at a time.
    virtual TiledBlock block() const = 0;
    // What the sum runs over, the same for any number of threads.
    virtual int64 lines(const Call<T>& call) const = 0;
    virtual int64 scratch(const TiledBlock& block) const = 0;
    // The sums over some lines for some channels and columns, whole panels: [lead][panel][tap][row][column in it].
    virtual void sums(const Call<T>& call, Range leads, Range lines, Range rows, Range columns, T* sums,
                      T* scratch) const = 0;
    // Σ of B over the same lines.
    virtual void bias_sums(const Call<T>& call, Range lines, Range columns, T* sums) const = 0;
};

template <class T>
class Recurrent;

// A weight gradient that is no such product: written whole into parameter->gradient, in parts.
template <class T>
class Scatter {
public:
    virtual ~Scatter() = default;
    Parameter<T>* parameter = nullptr;
    virtual int64 parts() const = 0;
    virtual void part(const Call<T>& call, int64 part) const = 0;
};

enum class Way { forward, backward };

// What the cross-entropies can start below of.
enum class FinalActivation { none, softmax, sigmoid };

template <class T>
class Node : public Place {
public:
    explicit Node(Place place) : Place(std::move(place)) {}
    virtual ~Node() = default;

    // The edges it reads and writes: one each, but for merges, forks, and states of recurrent layers.
    virtual std::vector<int> inputs() const { return {this->input}; }
    virtual std::vector<int> outputs() const { return {this->output}; }
    virtual void replace_input(int from, int to) { (void)from, this->input = to; }

    // -- planning, once, with all edges known
    // May this node read / write an edge in the time layout?
    virtual bool reads_time() const { return false; }
    // Does it ask for the time layout, so that an input below should be laid out so?
    virtual bool prefers_time() const { return false; }
    // Its output edge has the time layout exactly if its input edges have it.
    virtual bool passes_time() const { return false; }
    // Its outputs that are sequences are time edges whatever its input.
    virtual bool writes_time() const { return false; }
    // The axis of such an output when the input lies sample by sample.
    virtual void set_axis(int axis) { (void)axis; }
    // Takes f over from a separate activation layer (or gives it up: linear). False if it cannot.
    virtual bool set_activation(Activation f) { (void)f; return false; }
    // Adds what is on `edge`, which has one reader and lies as the output does, to its output before f, and writes that to
    // edge `sum` instead: a sum behind it. Only a node that gave its own output no activation. False if it cannot.
    virtual bool take_addend(int edge, int sum, Activation f) { (void)edge; (void)sum; (void)f; return false; }
    // Whether ∂E/∂ the input `edge` is δ of the output, as it is: where both lie the same way they are the same memory, which is
    // not written again (Edge::gradient_of).
    virtual bool passes_gradient(int edge) const { (void)edge; return false; }
    // The probabilities that this node makes of logits, if that is all it does.
    virtual FinalActivation final_activation() const { return FinalActivation::none; }
    // Can it write an output, or an input gradient, into a grid with a halo?
    virtual bool writes_halo() const { return false; }
    // Halo it wants around its input, and around its output's gradient (before[3], after[3]).
    virtual void wanted_halo(Grid& value) const { (void)value; }
    virtual void wanted_gradient_halo(Grid& gradient) const { (void)gradient; }
    // With dropout off the output is the input: no work, no memory.
    virtual bool identity_in_inference() const { return false; }
    // Outputs lie where the input lies, always.
    virtual bool passes_values() const { return false; }
    virtual void plan(const std::vector<Edge>& edges) { (void)edges; }
    // How it works, where there is a choice.
    virtual std::string detail() const { return {}; }

    // Works on a few samples at a time without loading many weights again: neighbours of this kind take turns on a few
    // samples, so that values stay in the cache. Of several phases that holds for the first and the last.
    virtual bool local() const { return false; }

    // -- a call: how many extra buffers, and the bytes of each
    virtual int extra_count() const { return 0; }
    // They must be zeros before the first call of a size (halos).
    virtual bool extra_zeroed() const { return false; }
    virtual void extra_bytes(const Call<T>& call, std::vector<int64>& bytes) const { (void)call; (void)bytes; }
    // Elements of scratch memory a thread.
    virtual int64 scratch(const Call<T>& call) const { (void)call; return 0; }
    // FLOPs a row (times steps), forward: decides how many threads are worth it.
    virtual double work(const Call<T>& call) const = 0;

    // Phase 1 and 2, for rows of one thread. Phases of one node that need all rows of the batch (batch statistics)
    // are separate calls with a barrier between them; most nodes have one. The first begins when the slice's own rows are
    // there: a node that reads those of others does nothing in it.
    virtual int forward_phases(const Call<T>& call) const { (void)call; return 1; }
    virtual int backward_phases(const Call<T>& call) const { (void)call; return 1; }
    virtual void forward(const Call<T>& call, Slice slice, int phase, T* scratch) const = 0;
    // Whether forward() or backward() of this call can compute a part of what it writes alone (Slice::parts), and gains
    // by it.
    virtual bool in_parts(const Call<T>& call, Way way) const { (void)call; (void)way; return false; }
    // Where values lie by sample, it only reads ∂E/∂ its output: the memory may be that of another edge's gradient, too.
    virtual void backward(const Call<T>& call, Slice slice, int phase, T* scratch) const = 0;

    // Copies of weights that a call reads; made anew in parts when stale, by calls that have the weights to themselves:
    // training, and predictions for which stale_in_prediction() says so.
    virtual bool stale_in_prediction(const Call<T>& call) const { (void)call; return false; }
    virtual int64 stale_parts(const Call<T>& call) { (void)call; return 0; }
    virtual void refresh_part(const kernels::Kernels<T>& kernels, int64 part) { (void)kernels; (void)part; }
    virtual void refreshed() {}

    // Phase 3.
    virtual std::vector<Product<T>*> products() { return {}; }
    virtual std::vector<Scatter<T>*> scatters() { return {}; }
    // States that pass from step to step: how many arrays, values a sample of each; where a call puts those that it begins
    // with, nowhere if they come by an edge; where it ends with them.
    virtual std::vector<int64> state_widths() const { return {}; }
    virtual Strided<T> initial_state(const Call<T>& call, int state) const { (void)call; (void)state; return {}; }
    virtual Strided<T> final_state(const Call<T>& call, int state) const { (void)call; (void)state; return {}; }
    // Phase 4: state that a training step moves (moving statistics), by one thread, after all rows are done.
    virtual void update_state(const Call<T>& call) const { (void)call; }

    // The recurrent layers that it runs: itself, a pair's two directions, or none. Diagnostics read their steps.
    virtual std::vector<const Recurrent<T>*> recurrences() const { return {}; }

    std::vector<std::shared_ptr<Parameter<T>>> parameters;

    // Whether some weight below wants the gradient to the input.
    bool below_trainable() const { return below_trainable_; }
    virtual void set_below_trainable(bool trainable) { below_trainable_ = trainable; }
    bool wants_input_gradient(const Call<T>& call) const { return below_trainable_ || call.input_gradients; }
    // The node's first buffer in Call::extra.
    int first_extra() const { return first_extra_; }
    virtual void set_first_extra(int first) { first_extra_ = first; }

protected:
    template <class E = T>
    E* extra(const Call<T>& call, int i) const {
        return static_cast<E*>(call.extra[first_extra_ + i]);
    }

private:
    bool below_trainable_ = false;
    int first_extra_ = 0;
};

}  // namespace tauten
