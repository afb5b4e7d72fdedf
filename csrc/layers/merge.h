// Several edges into one, element by element (Keras' merging layers): sum, difference, product, mean, maximum, minimum.
#pragma once

#include <string>
#include <vector>

#include "layers/node.h"

namespace tauten {

// Inputs of one layer.
inline constexpr size_t most_merged = 64;

enum class MergeKind { add, subtract, multiply, average, maximum, minimum };
// Throws std::invalid_argument naming the layer.
MergeKind parse_merge(const std::string& name, const std::string& kind);

template <class T>
class Merge final : public Node<T> {
public:
    // place.input is the first of the inputs. `spread`: the inputs' shapes differ in extents of 1, which count for all of
    // the output's.
    Merge(Place place, std::vector<int> inputs, MergeKind kind, bool spread)
        : Node<T>(std::move(place)), inputs_(std::move(inputs)), kind_(kind), spread_(spread) {}
    std::vector<int> inputs() const override { return inputs_; }
    void replace_input(int from, int to) override;
    bool reads_time() const override { return !spread_; }
    bool passes_time() const override { return !spread_; }
    bool writes_halo() const override { return true; }
    bool passes_gradient(int) const override { return kind_ == MergeKind::add && !spread_; }
    bool local() const override { return !output_.time; }
    bool set_activation(Activation f) override {
        activation_ = f;
        return true;
    }
    // Whether it is f(a + b), element by element.
    bool is_sum() const { return kind_ == MergeKind::add && !spread_ && inputs_.size() == 2; }
    Activation activation() const { return activation_; }
    void plan(const std::vector<Edge>& edges) override;
    double work(const Call<T>& call) const override;
    int64 scratch(const Call<T>& call) const override;
    bool in_parts(const Call<T>& call, Way way) const override;
    void forward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;
    void backward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;

private:
    struct Input {
        int edge;
        Grid value, gradient;
        Activation below;
        bool shares;  // its gradient is the output's
    };
    // values[i]: n values of input i, one after the other.
    void merged(const kernels::Kernels<T>& k, int64 n, const T* const* values, T* y) const;
    // What δ is for input i, before its f'.
    void gradient_of(const kernels::Kernels<T>& k, size_t i, int64 n, const T* const* values, const T* delta, T* gradient) const;
    template <class F>
    void for_each_block(const Call<T>& call, const Grid& to, Slice slice, F&& f) const;
    template <class F>
    void for_each_spread_block(const Call<T>& call, Slice slice, T* scratch, F&& f) const;
    void spread_backward(const Call<T>& call, Slice slice, T* scratch) const;

    std::vector<int> inputs_;
    MergeKind kind_;
    bool spread_;
    Activation activation_ = Activation::linear;
    std::vector<Input> from_;
    Grid plain_, output_, output_gradient_;  // plain_: the output's without a halo
};

// Along one axis, one behind the other.
template <class T>
class Concatenate final : public Node<T> {
public:
    // place.input is the first of the inputs. sizes: values of each input, in front of the next one's, that lie together;
    // last: the axis is the last one, whose rows may lie by time.
    Concatenate(Place place, std::vector<int> inputs, std::vector<int64> sizes, bool last)
        : Node<T>(std::move(place)), inputs_(std::move(inputs)), sizes_(std::move(sizes)), last_(last) {}
    std::vector<int> inputs() const override { return inputs_; }
    void replace_input(int from, int to) override;
    bool reads_time() const override { return last_; }
    bool passes_time() const override { return last_; }
    bool local() const override { return !output_.time; }
    void plan(const std::vector<Edge>& edges) override;
    double work(const Call<T>& call) const override;
    void forward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;
    void backward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;

private:
    struct Input {
        int edge;
        Activation below;
        int64 first, size;  // where its values stand among those that lie together in the output
    };
    // f(input, where a piece of `size` values begins there, where in the output)
    template <class F>
    void for_each_piece(const Call<T>& call, Slice slice, F&& f) const;

    std::vector<int> inputs_;
    std::vector<int64> sizes_;
    bool last_;
    std::vector<Input> from_;
    int64 together_ = 0;  // values of all inputs that lie together
    Grid output_;
};

}  // namespace tauten
