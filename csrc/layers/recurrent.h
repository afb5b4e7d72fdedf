// What all recurrent layers share: which step comes before which, where x_t and h_t lie for one slice of the batch, the
// way through time and back, and the deferred products over all time steps. A cell says what one step does. A layer may
// run against time, may be one direction of a pair, may begin with a state of the caller's and leave one to it.
#pragma once

#include "layers/node.h"

namespace tauten {

// A mask of inverted dropout (§26.4.2).
struct Dropping {
    double rate = 0;
    uint64 seed = 0;
    uint32 number = 0;  // among those of the network that drop
};

struct RecurrentOptions {
    int64 features, units;
    bool use_bias, return_sequences;
    bool reverse = false;      // from the last step to the first
    std::string prefix{};      // of the weights' names, in a pair
    Dropping input_dropout{};      // of x_t, one mask for all steps of a sample
    Dropping recurrent_dropout{};  // the same of h_{t-1} on its way into the recurrent product
};

template <class T>
class Recurrent : public Node<T> {
public:
    // gates: net values a unit of the kernels; states: arrays of `units` a row that pass from step to step, h first;
    // slots: vectors of a panel's units in one row of net values, at least `gates`.
    Recurrent(Place place, const RecurrentOptions& options, int64 gates, int states, int64 slots);

    bool reads_time() const override { return true; }
    bool prefers_time() const override { return true; }
    bool writes_time() const override { return sequences_; }
    void set_axis(int axis) override { axis_ = axis; }
    // x, and the states that it begins with; h, and the states that it ends with.
    std::vector<int> inputs() const override;
    std::vector<int> outputs() const override;
    void replace_input(int from, int to) override;
    void plan(const std::vector<Edge>& edges) override;
    double work(const Call<T>& call) const override;
    int extra_count() const final { return shared_buffers() + cell_buffers(); }
    void extra_bytes(const Call<T>& call, std::vector<int64>& bytes) const final;
    int64 scratch(const Call<T>& call) const override;
    void forward(const Call<T>& call, Slice slice, int phase, T* scratch) const final;
    void backward(const Call<T>& call, Slice slice, int phase, T* scratch) const final;
    int64 stale_parts(const Call<T>& call) override;
    void refresh_part(const kernels::Kernels<T>& kernels, int64 part) override;
    void refreshed() override;
    std::vector<Product<T>*> products() override { return {&input_product_, &recurrent_product_}; }
    bool in_parts(const Call<T>& call, Way way) const override;
    std::vector<int64> state_widths() const override { return std::vector<int64>(static_cast<size_t>(states_), units_); }
    Strided<T> initial_state(const Call<T>& call, int state) const override;
    Strided<T> final_state(const Call<T>& call, int state) const override;

    int64 units() const { return units_; }
    // -- states by edges (units), in their order; none, or all. Before plan().
    // It begins with these, whatever the caller's are.
    void begin_with(const std::vector<int>& edges) { begins_.assign(edges.begin(), edges.end()); }
    void end_with(const std::vector<int>& edges) { ends_ = edges; }
    const std::vector<int>& ends() const { return ends_; }
    // -- what a call leaves to look at, at every step
    std::vector<const Recurrent*> recurrences() const override { return {this}; }
    const Parameter<T>& recurrent_kernel() const { return *recurrent_kernel_; }
    const Steps& steps(const Call<T>& call) const { return call.axes[axis_]; }
    // [gate][unit] of one time row, in Keras' order: δ, after the backward phase, or else the gates' values, of a call
    // that keeps them and has not gone backward yet.
    void read_row(const Call<T>& call, bool deltas, int64 row, T* to) const;
    // -- as one of a pair that shares input and output. Both before plan().
    // Its h are columns [first, first + units) of the output.
    void write_columns(int64 first) { first_column_ = first; }
    // Its h, and their gradients, are buffers of the pair's own: numbers in Call::extra.
    void write_buffers(int values, int gradients) { values_buffer_ = values, gradients_buffer_ = gradients; }
    // Adds its ∂E/∂x to what the other one left there; f' of the layer below is the last one's to apply.
    void add_input_gradient(bool adds, bool last) { adds_ = adds, last_ = last; }

protected:
    // The units that one part of a slice computes: whole panels of the weights.
    struct Units {
        int64 panel, first, count;  // first panel; first unit; how many
    };
    // One step of some rows, forwards. Pointers are at the part's first unit.
    struct Forward {
        const kernels::Tap<T>* taps;  // x_t·W_i, unless `start` has it, and h_{t-1}·W_h, unless h_{t-1} is zero
        int64 tap_count;
        bool products;                // start is x_t·W_i + b, a row for each row, not biases
        int64 t, before;              // before: the step before, or -1
        int64 first, rows;            // of the batch
        Units units;
        const T* start;               // of the net values; nullptr stands for zeros
        int64 start_row;
        Strided<T> hidden_before;     // h_{t-1}; nullptr stands for zeros
        T* hidden;                    // h_t, rows hidden_row_ apart
    };
    // The same step backwards: δ of the net values takes its place in delta().
    struct Backward {
        const kernels::Tap<T>* taps;  // δ_{t+1}·W_hᵀ
        int64 tap_count;
        int64 t, before;
        int64 first, rows;
        bool ends;                    // no step follows: what is carried back begins at zero
        Strided<T> above;             // ∂E/∂h_t from elsewhere; nullptr stands for zeros
        Strided<T> hidden_before;
    };

    // -- for a cell whose recurrent product is its own business
    Product<T>& input_product() { return input_product_; }
    int64 gradient_lines(const Call<T>& call) const { return recurrent_product_.lines(call); }
    Line<T> recurrent_line(const Call<T>& call, int64 i) const { return recurrent_product_.line(call, i); }
    // W_hᵀ from net value `first` on, in panels of Kernels::panel columns.
    const T* transposed_rows(const kernels::Kernels<T>& k, int64 first) const {
        return recurrent_transposed_.panels.data() + first * k.panel;
    }
    // The mask on h_{t-1}, if there is one, on units_ values a row.
    void drop_rows(const Call<T>& call, int64 first, int64 rows, T* values) const {
        for (int64 r = 0; drops(call) && r < rows; ++r)
            drop(call, recurrent_dropout_, first + r, 0, units_, values + r * units_, values + r * units_);
    }

    virtual void step_forward(const Call<T>& call, const Forward& step) const = 0;
    virtual void step_backward(const Call<T>& call, const Backward& step) const = 0;
    // Buffers of the cell's own, numbered from 0 in buffer(), and their bytes.
    virtual int cell_buffers() const = 0;
    virtual void cell_bytes(const Call<T>& call, std::vector<int64>& bytes) const = 0;
    // Net values of all steps, packed as time rows, net_row_ apart; nullptr: there is no place for them.
    virtual T* nets(const Call<T>& call) const = 0;
    // δ of all steps, packed as time rows, net_row_ apart.
    virtual T* delta(const Call<T>& call) const = 0;
    // The gates' values of all steps, or h where there are no gates, likewise: δ takes their place in the backward phase.
    virtual const T* gates(const Call<T>& call) const { return delta(call); }
    // What net values begin with, panel by panel: the biases, or what the cell makes of them in `scratch`.
    virtual const T* start(T* scratch) const { (void)scratch; return bias_ ? bias_->weights.data() : nullptr; }
    virtual int64 start_size() const { return 0; }  // elements of that scratch
    // A state's rows from `first` on behind step t.
    virtual Strided<T> state_rows(const Call<T>& call, int state, int64 t, int64 first) const;
    // What the backward phase carries of a state's gradient from step to step beside the recurrent product; nullptr: nothing.
    virtual Strided<T> carried(const Call<T>& call, int state, int64 first) const {
        (void)call; (void)state; (void)first;
        return {};
    }
    // Rows of ∂E/∂state behind the last step, from a reader of the state; nullptr stands for zeros.
    Strided<T> end_gradient(const Call<T>& call, int state, int64 first) const;
    // The same behind the step before, which at a beginning (-1) is a state that it begins with; nullptr stands for zeros.
    Strided<T> state_before(const Call<T>& call, int state, int64 before, int64 first) const;

    // h of all steps, packed as time rows, hidden_row_ apart; in inference with only the last one asked for, of two.
    T* hidden(const Call<T>& call) const { return sequences_ ? outputs(call) : this->template extra<T>(call, hidden_buffer()); }
    T* buffer(const Call<T>& call, int i) const { return this->template extra<T>(call, shared_buffers() + i); }
    // Where the layer's h go to, hidden or last ones, and where ∂E/∂h come from: rows output_row_ apart.
    T* outputs(const Call<T>& call) const;
    T* output_gradients(const Call<T>& call) const;
    // Row of step t in a buffer that holds all steps if `kept`, else this step and the one before.
    int64 row_of(const Call<T>& call, bool kept, int64 t) const {
        return kept ? steps(call).offset[t] : (t % 2) * call.batch;
    }

    // Whether x_t·W_i + b of all steps is taken before the first one, which few rows profit from: they would load all of
    // W_i at every step.
    bool few_rows(const Call<T>& call) const;
    // The rows of the biases that the two products' column sums are the gradients of: offsets in bias_.
    void set_bias(int64 of_input, int64 of_recurrent);

    int axis_ = -1;  // the input's time axis, or one of a fixed number of steps when the input lies sample by sample
    int64 features_, units_, net_width_;
    int64 slot_width_;      // from panel to panel in a row of net values
    int64 first_slot_ = 0;  // of the recurrent product's in a panel
    int64 recurrent_vectors_ = 0;  // of a panel's net values, the first ones that the recurrent product makes; 0: all
    int64 net_row_;         // from row to row of the net values
    int64 hidden_row_ = 0;  // of h of all steps
    int64 output_row_ = 0;
    bool sequences_, reverse_;
    Activation below_ = Activation::linear;
    Grid input_, input_gradient_grid_, output_;
    std::shared_ptr<Parameter<T>> kernel_, recurrent_kernel_, bias_;

private:
    // The products over δ of all steps, line by line of the same δ.
    struct Gradient : Product<T> {
        const Recurrent* layer = nullptr;
        int64 lines(const Call<T>& call) const override;
        int64 depth(const Call<T>& call) const override { return layer->steps(call).total; }
    };
    // ∇W_i = Σ_t x_tᵀ·δ_t and, with the bias, ∇b = Σ_t δ_t
    struct InputGradient final : Gradient {
        Line<T> line(const Call<T>& call, int64 i) const override;
    };
    // ∇W_h = Σ h_{t-1}ᵀ·δ_t over all steps that have one before, or begin with a state, or have a bias of their own
    struct RecurrentGradient final : Gradient {
        std::vector<T> zeros{};  // h before the first step
        Line<T> line(const Call<T>& call, int64 i) const override;
    };
    // The time rows of a line: those of h before, or -1 where they begin, and which of the batch these are; the step, or
    // -1 where a line is a piece of several.
    struct Rows {
        int64 before, first, count, sample, step;
    };
    bool in_pieces(const Call<T>& call) const { return (input_.time || drops_input(call)) && steps(call).full; }
    Rows rows_of_line(const Call<T>& call, int64 i) const;
    // Buffers that all cells have: states at the beginning and at the end, h of all steps; h as the recurrent product
    // reads it if some of it is dropped, and what that sends back; the same for x; ∂E/∂h behind the last step from two
    // readers.
    int hidden_buffer() const { return 2 * states_; }
    int dropped_buffer() const { return 2 * states_ + 1; }
    int sent_back_buffer() const { return 2 * states_ + 2; }
    int dropped_input_buffer() const { return 2 * states_ + 3; }
    int input_sent_back_buffer() const { return 2 * states_ + 4; }
    int last_gradient_buffer() const { return 2 * states_ + 5; }
    int shared_buffers() const { return 2 * states_ + 6; }

    // A state that comes by an edge, and what f' its gradient is multiplied with.
    struct Beginning {
        int edge;
        Activation below = Activation::linear;
        Beginning(int from) : edge(from) {}
    };
    // Does the first step have a state before?
    bool begins(const Call<T>& call) const { return call.initial_states || !begins_.empty(); }
    // Whether somebody wants ∂E/∂x.
    bool wants_data_gradient(const Call<T>& call) const {
        return this->wants_input_gradient(call) && call.gradients[this->input];
    }
    // ∂E/∂h behind the last step: the output's reader's, and the state's.
    Strided<T> last_gradient(const Call<T>& call, Strided<T> above, int64 first, int64 rows) const;
    // ∂E/∂ the states that rows begin with whose first step is t; and that rows of no steps begin with.
    void begin_gradient(const Call<T>& call, int64 t, int64 first, int64 rows, kernels::Tap<T>* taps) const;
    void stepless_gradient(const Call<T>& call, Slice slice) const;

    Units share(const Slice& slice) const;
    // x_t·W_i over rows [begin, ..) of step t, from a panel on.
    kernels::Tap<T> input_tap(const Call<T>& call, int64 t, int64 begin, int64 panel) const;
    // few_rows(), and a place to put the products.
    bool products_first(const Call<T>& call, Slice slice) const;
    // The product of all steps, of some units, into nets().
    void take_products(const Call<T>& call, const Units& units, const T* start) const;
    // δ·Wᵀ, δ of the first row at `d`: one tap, or one a panel where a panel's δ have gaps between them.
    int64 transposed_taps(const kernels::Kernels<T>& k, const T* d, const DerivedPanels<T>& w, int64 vectors,
                          kernels::Tap<T>* taps) const;
    // Whether this call drops some of h_{t-1} on its way into the recurrent product, what that reads then, and the mask on
    // h or on a gradient of it: columns [first, first + count) of a row.
    bool drops(const Call<T>& call) const { return recurrent_dropout_.rate > 0 && call.training; }
    Strided<T> read_by_product(const Call<T>& call, int64 before, int64 first) const;
    void drop(const Call<T>& call, const Dropping& how, int64 row, int64 first, int64 count, const T* from, T* to) const;
    // The same of x: all rows of a slice, packed as time rows.
    bool drops_input(const Call<T>& call) const { return input_dropout_.rate > 0 && call.training; }
    void drop_input(const Call<T>& call, Slice slice) const;
    // x_t, or its gradient, of row `first` of step t.
    Strided<T> input_rows(const Grid& grid, T* memory, const Call<T>& call, int64 t, int64 first) const;
    // Begins to fetch what the backward phase needs of step t.
    void fetch(const Call<T>& call, int64 t, int64 first, int64 rows) const;
    // ∂E/∂x_t = δ_t·W_iᵀ for all steps of a slice, times f'(x) of the layer below
    void input_gradient(const Call<T>& call, Slice slice, T* scratch) const;
    void dropped_input_gradient(const Call<T>& call, Slice slice, T* scratch) const;
    // States, and the last h of rows whose last step is t, to where they are wanted.
    void finish_rows(const Call<T>& call, Slice slice, int64 t) const;
    // The same of rows of no steps, which end as they begin.
    void finish_stepless(const Call<T>& call, Slice slice) const;

    // f(t, first row, rows, step before) in the layer's order of time; the step before is -1 at the first one. Rows of a
    // longer sequence begin at an earlier call, if time runs backwards. No call names rows of no steps.
    template <class F>
    void for_each_step(const Call<T>& call, Slice slice, F&& f) const {
        const Steps& s = steps(call);
        for (int64 i = 0; i < s.steps; ++i) {
            const int64 t = reverse_ ? s.steps - 1 - i : i, rows = s.alive(t, slice);
            if (call.stopped(slice)) return;
            if (!reverse_ && rows > 0) f(t, slice.begin, rows, t - 1);
            if (!reverse_) continue;
            const int64 going = s.alive(t + 1, slice);
            if (going > 0) f(t, slice.begin, going, t + 1);
            if (rows > going) f(t, slice.begin + going, rows - going, int64{-1});
        }
    }
    // f(t, first row, rows, step before, step after) against the layer's order of time; -1: none.
    template <class F>
    void for_each_step_back(const Call<T>& call, Slice slice, F&& f) const {
        const Steps& s = steps(call);
        for (int64 i = 0; i < s.steps; ++i) {
            const int64 t = reverse_ ? i : s.steps - 1 - i, rows = s.alive(t, slice), longer = s.alive(t + 1, slice);
            if (call.stopped(slice)) return;
            const auto part = [&](int64 first, int64 count, int64 later) {
                if (count > 0) f(t, slice.begin + first, count, reverse_ ? later : t - 1, reverse_ ? t - 1 : later);
            };
            part(0, longer, t + 1);
            part(longer, rows - longer, -1);
        }
    }

    int states_;
    DerivedPanels<T> input_transposed_, recurrent_transposed_;  // W_iᵀ, W_hᵀ: K in the order of the net values
    bool input_refreshed_ = false;
    InputGradient input_product_;
    RecurrentGradient recurrent_product_;
    Dropping input_dropout_, recurrent_dropout_;
    int64 first_column_ = 0;
    int values_buffer_ = -1, gradients_buffer_ = -1;
    bool adds_ = false, last_ = true;
    std::vector<Beginning> begins_;
    std::vector<int> ends_;
};

}  // namespace tauten
