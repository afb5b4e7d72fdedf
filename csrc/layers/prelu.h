// PReLU (He et al. 2015): y = x > 0 ? x : α x with trained slopes α.
#pragma once

#include "layers/elementwise.h"

namespace tauten {

// α has the shape of a sample, with 1 on the axes that share slopes. ∇α: every sample's share is made with the sample's
// backward pass, and the shares are added in the samples' order.
template <class T>
class Prelu final : public RowNode<T> {
public:
    // shared: by axis of the sample's shape; a run-time extent must be shared
    Prelu(Place place, const Shape& shape, const std::vector<bool>& shared);

    // in the time layout a step's row does not know its step
    bool reads_time() const override { return shared_steps_; }
    bool passes_time() const override { return shared_steps_; }
    int extra_count() const override { return 1; }
    void extra_bytes(const Call<T>& call, std::vector<int64>& bytes) const override;
    void forward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;
    void backward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;
    std::vector<Scatter<T>*> scatters() override { return {&gradient_}; }

private:
    struct AlphaGradient final : Scatter<T> {
        const Prelu* layer = nullptr;
        int64 parts() const override;
        void part(const Call<T>& call, int64 part) const override;
    };
    // Neighbouring axes that are all shared, or all not.
    struct Axes {
        int64 extent;
        bool shared;
    };
    // f(offset in x, offset in α, rows) for every block of a sample: rows of columns_ values that use the same α
    template <class F>
    void for_each_block(F&& f) const;

    bool shared_steps_;
    std::vector<Axes> outer_;      // what is around a block, from outside
    int64 rows_ = 1, columns_ = 1; // of a block
    bool each_ = false;            // a slope a column, or one for all of them
    std::shared_ptr<Parameter<T>> alpha_;
    AlphaGradient gradient_;
};

}  // namespace tauten
