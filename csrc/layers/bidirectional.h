// Two recurrent layers over the same input, one with time and one against it (§26.1.4), and what becomes of their h.
#pragma once

#include "layers/recurrent.h"

namespace tauten {

// none: each writes an edge of its own.
enum class Merge { concat, sum, average, multiply, none };

template <class T>
class Bidirectional final : public Node<T> {
public:
    using Direction = std::unique_ptr<Recurrent<T>>;
    // The two write as many units, unless they are concatenated or stay apart.
    Bidirectional(Place place, Direction first, Direction second, Merge merge);

    bool reads_time() const override { return true; }
    bool prefers_time() const override { return true; }
    bool writes_time() const override { return directions_[0]->writes_time(); }
    void set_axis(int axis) override;
    std::vector<int> inputs() const override;
    std::vector<int> outputs() const override;
    void replace_input(int from, int to) override;
    void plan(const std::vector<Edge>& edges) override;
    void set_first_extra(int first) override;
    void set_below_trainable(bool trainable) override;
    double work(const Call<T>& call) const override;
    int extra_count() const override;
    void extra_bytes(const Call<T>& call, std::vector<int64>& bytes) const override;
    int64 scratch(const Call<T>& call) const override {
        return std::max(directions_[0]->scratch(call), directions_[1]->scratch(call));
    }
    std::vector<int64> state_widths() const override;
    Strided<T> initial_state(const Call<T>& call, int state) const override;
    Strided<T> final_state(const Call<T>& call, int state) const override;
    int64 stale_parts(const Call<T>& call) override;
    void refresh_part(const kernels::Kernels<T>& kernels, int64 part) override;
    void refreshed() override;
    std::vector<Product<T>*> products() override;
    std::vector<Scatter<T>*> scatters() override;
    std::vector<const Recurrent<T>*> recurrences() const override { return {directions_[0].get(), directions_[1].get()}; }
    void forward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;
    bool in_parts(const Call<T>& call, Way way) const override;
    void backward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;

private:
    // Buffers where h are merged: both layers' h, both layers' ∂E/∂h.
    static constexpr int buffers = 4;
    bool merged() const { return merge_ != Merge::concat && merge_ != Merge::none; }
    int own_extras() const { return merged() ? buffers : 0; }
    // f(first number, how many) for the slice's runs of numbers in the output.
    template <class F>
    void for_each_number(const Call<T>& call, Slice slice, F&& f) const;

    // The direction that a state belongs to, and its number there: the first one's come first.
    std::pair<const Recurrent<T>*, int> owner(int state) const;

    Direction directions_[2];
    int first_states_;  // of the first direction
    Merge merge_;
    Grid output_;
    int64 first_parts_ = 0;  // stale parts of the first layer
    // Whether parts of a slice are one direction each, and those beyond two idle: short steps do not pay for meeting.
    bool split_by_direction(const Call<T>& call, Slice slice) const;
};

}  // namespace tauten
