// Embedding: y = E[token], a row of the table for each integer.
#pragma once

#include "layers/node.h"

namespace tauten {

template <class T>
class Embedding final : public Node<T> {
public:
    Embedding(Place place, int64 vocabulary, int64 units);

    bool reads_time() const override { return true; }
    bool passes_time() const override { return true; }
    void plan(const std::vector<Edge>& edges) override { grid_ = edges[static_cast<size_t>(this->input)].value; }
    double work(const Call<T>& call) const override { return static_cast<double>(tokens(call) * units_); }
    void forward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;
    void backward(const Call<T>&, Slice, int, T*) const override {}
    std::vector<Scatter<T>*> scatters() override { return {&gradient_}; }

private:
    struct TableGradient final : Scatter<T> {
        const Embedding* layer = nullptr;
        int64 parts() const override;
        void part(const Call<T>& call, int64 part) const override;
    };
    int64 tokens(const Call<T>& call) const { return grid_.rows(call.batch, call.axes) * grid_.channels; }

    int64 vocabulary_, units_;
    Grid grid_;
    std::shared_ptr<Parameter<T>> table_;
    TableGradient gradient_;
};

}  // namespace tauten
