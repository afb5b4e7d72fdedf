// What all recurrent layers share: where x_t and h_t lie at step t for one slice of the batch, and the deferred
// products over all time steps.
#pragma once

#include "layers/node.h"

namespace tauten {

template <class T>
class Recurrent : public Node<T> {
public:
    // gates: 1 or 4 net values a unit; net values of one row are `net_width` wide.
    Recurrent(Place place, int64 features, int64 units, int64 gates, bool use_bias, bool return_sequences);

    bool reads_time() const override { return true; }
    bool prefers_time() const override { return true; }
    bool writes_time() const override { return sequences_; }
    void set_axis(int axis) override { axis_ = axis; }
    void plan(const std::vector<Edge>& edges) override;
    double work(const Call<T>& call) const override;
    int64 stale_parts() override;
    void refresh_part(const kernels::Kernels<T>& kernels, int64 part) override;
    void refreshed() override;
    std::vector<Product<T>*> products() override { return {&input_product_, &recurrent_product_}; }

protected:
    // ∇W_i = Σ_t x_tᵀ·δ_t and, with the bias, ∇b = Σ_t δ_t
    struct InputGradient final : Product<T> {
        const Recurrent* layer = nullptr;
        int64 lines(const Call<T>& call) const override;
        Line<T> line(const Call<T>& call, int64 i) const override;
    };
    // ∇W_h = Σ_{t>1} h_{t-1}ᵀ·δ_t
    struct RecurrentGradient final : Product<T> {
        const Recurrent* layer = nullptr;
        int64 lines(const Call<T>& call) const override;
        Line<T> line(const Call<T>& call, int64 i) const override;
    };

    // h of all steps, packed as time rows; the output edge itself if it returns sequences.
    virtual T* hidden(const Call<T>& call) const = 0;
    // δ of all steps, packed as time rows, net_row apart.
    virtual T* delta(const Call<T>& call) const = 0;

    const Steps& steps(const Call<T>& call) const { return call.axes[axis_]; }
    // x_t·W_i over rows [begin, ..) of step t.
    kernels::Tap<T> input_tap(const Call<T>& call, int64 t, int64 begin) const;
    // h_{t-1}·W_h, h_{t-1} at `h`.
    kernels::Tap<T> recurrent_tap(const kernels::Kernels<T>& k, const T* h) const;
    // δ_{t+1}·W_hᵀ, δ_{t+1} at `d`.
    kernels::Tap<T> back_tap(const kernels::Kernels<T>& k, const T* d) const;
    // ∂E/∂x_t = δ_t·W_iᵀ for all steps of a slice, times f'(x) of the layer below
    void input_gradient(const Call<T>& call, Slice slice) const;
    // The rows of a slice that end with step t, as f(first, count).
    template <class F>
    void for_ending(const Call<T>& call, Slice slice, int64 t, F&& f) const {
        const int64 now = steps(call).alive(t, slice), next = steps(call).alive(t + 1, slice);
        if (now > next) f(slice.begin + next, now - next);
    }

    int axis_ = -1;  // the input's time axis, or one of a fixed number of steps when the input lies sample by sample
    int64 features_, units_, net_width_;
    int64 net_row_;  // from row to row of the net values
    bool sequences_;
    Activation below_ = Activation::linear;
    Grid input_, input_gradient_grid_, output_;
    std::shared_ptr<Parameter<T>> kernel_, recurrent_kernel_, bias_;
    DerivedPanels<T> input_transposed_, recurrent_transposed_;  // W_iᵀ, W_hᵀ: K in the order of the net values
    InputGradient input_product_;
    RecurrentGradient recurrent_product_;
};

}  // namespace tauten
