// What all recurrent layers share: which step comes before which, where x_t and h_t lie for one slice of the batch, and
// the deferred products over all time steps. A layer may run against time, and may be one direction of a pair.
#pragma once

#include "layers/node.h"

namespace tauten {

struct RecurrentOptions {
    int64 features, units;
    bool use_bias, return_sequences;
    bool reverse = false;      // from the last step to the first
    std::string prefix{};      // of the weights' names, in a pair
};

template <class T>
class Recurrent : public Node<T> {
public:
    // gates: 1, 2 or 4 net values a unit; net values of one row are `net_width` wide.
    Recurrent(Place place, const RecurrentOptions& options, int64 gates);

    bool reads_time() const override { return true; }
    bool prefers_time() const override { return true; }
    bool writes_time() const override { return sequences_; }
    void set_axis(int axis) override { axis_ = axis; }
    void plan(const std::vector<Edge>& edges) override;
    double work(const Call<T>& call) const override;
    int64 stale_parts(const Call<T>& call) override;
    void refresh_part(const kernels::Kernels<T>& kernels, int64 part) override;
    void refreshed() override;
    std::vector<Product<T>*> products() override { return {&input_product_, &recurrent_product_}; }
    bool in_parts(const Call<T>& call) const override;

    int64 units() const { return units_; }
    // -- as one of a pair that shares input and output. Both before plan().
    // Its h are columns [first, first + units) of the output.
    void write_columns(int64 first) { first_column_ = first; }
    // Its h, and their gradients, are buffers of the pair's own: numbers in Call::extra.
    void write_buffers(int values, int gradients) { values_buffer_ = values, gradients_buffer_ = gradients; }
    // Adds its ∂E/∂x to what the other one left there; f' of the layer below is the last one's to apply.
    void add_input_gradient(bool adds, bool last) { adds_ = adds, last_ = last; }

protected:
    // The products over δ of all steps: line by line the same δ.
    struct Gradient : Product<T> {
        const Recurrent* layer = nullptr;
        int64 lines(const Call<T>& call) const override;
        int64 depth(const Call<T>& call) const override { return layer->steps(call).total; }
    };
    // ∇W_i = Σ_t x_tᵀ·δ_t and, with the bias, ∇b = Σ_t δ_t
    struct InputGradient final : Gradient {
        Line<T> line(const Call<T>& call, int64 i) const override;
    };
    // ∇W_h = Σ h_{t-1}ᵀ·δ_t over all steps that have one before
    struct RecurrentGradient final : Gradient {
        Line<T> line(const Call<T>& call, int64 i) const override;
    };
    // Whether the lines are pieces of line_rows and not steps, and which time rows line i then is: first, count. The
    // rows of the step without one before are lines of their own.
    bool in_pieces(const Call<T>& call) const { return input_.time && steps(call).full; }
    Range piece(const Call<T>& call, int64 i) const;

    // h of all steps, packed as time rows, hidden_row_ apart.
    virtual T* hidden(const Call<T>& call) const = 0;
    // δ of all steps, packed as time rows, net_row_ apart.
    virtual T* delta(const Call<T>& call) const = 0;

    // Where the layer's h go to, hidden or last ones, and where ∂E/∂h come from: rows output_row_ apart.
    T* outputs(const Call<T>& call) const;
    T* output_gradients(const Call<T>& call) const;

    const Steps& steps(const Call<T>& call) const { return call.axes[axis_]; }
    // The units that one part of a slice computes: whole panels of the weights.
    struct Units {
        int64 panel, first, count;  // first panel; first unit; how many
    };
    Units share(const Slice& slice) const;
    // x_t·W_i over rows [begin, ..) of step t, from a panel on.
    kernels::Tap<T> input_tap(const Call<T>& call, int64 t, int64 begin, int64 panel) const;
    // h_{t-1}·W_h, h_{t-1} at `h`, from a panel on.
    kernels::Tap<T> recurrent_tap(const T* h, int64 panel) const;
    // Whether x_t·W_i + b of all steps is taken before the first one: where a few rows at a time would load all of W_i
    // at every step, and the slice has them all.
    bool products_first(const Call<T>& call, Slice slice) const;
    // That product, of some units, into rows of `net`.
    void take_products(const Call<T>& call, const Units& units, T* net, int64 row) const;
    // δ_{t+1}·W_hᵀ, δ_{t+1} at `d`.
    kernels::Tap<T> back_tap(const kernels::Kernels<T>& k, const T* d) const;
    // ∂E/∂x_t = δ_t·W_iᵀ for all steps of a slice, times f'(x) of the layer below
    void input_gradient(const Call<T>& call, Slice slice) const;
    // The last h of rows first .. first + rows, whose memory is h, to the output.
    void write_last(const Call<T>& call, int64 first, int64 rows, const T* h) const;

    // f(t, first row, rows, step before) in the layer's order of time; the step before is -1 at the first one. Rows of a
    // longer sequence begin at an earlier call, if time runs backwards.
    template <class F>
    void for_each_step(const Call<T>& call, Slice slice, F&& f) const {
        const Steps& s = steps(call);
        for (int64 i = 0; i < s.steps; ++i) {
            const int64 t = reverse_ ? s.steps - 1 - i : i, rows = s.alive(t, slice);
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
            const auto part = [&](int64 first, int64 count, int64 later) {
                if (count > 0) f(t, slice.begin + first, count, reverse_ ? later : t - 1, reverse_ ? t - 1 : later);
            };
            part(0, longer, t + 1);
            part(longer, rows - longer, -1);
        }
    }
    // f(first row, rows) of those whose last step, in the layer's order, is t.
    template <class F>
    void for_ending(const Call<T>& call, Slice slice, int64 t, F&& f) const {
        const int64 now = steps(call).alive(t, slice), going = reverse_ ? (t > 0 ? now : 0) : steps(call).alive(t + 1, slice);
        if (now > going) f(slice.begin + going, now - going);
    }

    int axis_ = -1;  // the input's time axis, or one of a fixed number of steps when the input lies sample by sample
    int64 features_, units_, net_width_;
    int64 net_row_;         // from row to row of the net values
    int64 hidden_row_ = 0;  // of h of all steps
    int64 output_row_ = 0;
    bool sequences_, reverse_;
    Activation below_ = Activation::linear;
    Grid input_, input_gradient_grid_, output_;
    std::shared_ptr<Parameter<T>> kernel_, recurrent_kernel_, bias_;
    DerivedPanels<T> input_transposed_, recurrent_transposed_;  // W_iᵀ, W_hᵀ: K in the order of the net values
    bool input_refreshed_ = false;
    InputGradient input_product_;
    RecurrentGradient recurrent_product_;

private:
    int64 first_column_ = 0;
    int values_buffer_ = -1, gradients_buffer_ = -1;
    bool adds_ = false, last_ = true;
};

}  // namespace tauten
