#include "layers/embedding.h"

#include <cstring>

namespace tauten {

namespace {
constexpr int64 part_columns = 16;  // columns of the table that one part of the scatter owns
}

template <class T>
Embedding<T>::Embedding(Place place, int64 vocabulary, int64 units)
    : Node<T>(std::move(place)), vocabulary_(vocabulary), units_(units) {
    table_ = std::make_shared<Parameter<T>>(this->name, "embeddings", Shape{vocabulary, units});
    table_->lay_out_plain();
    this->parameters = {table_};
    gradient_.layer = this;
    gradient_.parameter = table_.get();
}

template <class T>
void Embedding<T>::forward(const Call<T>& call, Slice slice, int, T*) const {
    const int32* token = call.tokens(this->input);
    const T* table = table_->weights.data();
    for_each_run(grid_, call.batch, call.axes, slice, [&](int64 first, int64 rows) {
        const int64 begin = first * grid_.channels, end = (first + rows) * grid_.channels;
        for (int64 i = begin; i < end; ++i)
            std::memcpy(call.values[this->output] + i * units_, table + token[i] * units_,
                        static_cast<size_t>(units_) * sizeof(T));
    });
}

template <class T>
int64 Embedding<T>::TableGradient::parts() const {
    return divide_up(layer->units_, part_columns);
}

// ∇E[v] = Σ over positions with token v of δ, positions in order: a part owns some columns and passes over all.
template <class T>
void Embedding<T>::TableGradient::part(const Call<T>& call, int64 part) const {
    const int64 units = layer->units_, first = part * part_columns, columns = std::min(part_columns, units - first);
    const int32* token = call.tokens(layer->input);
    const T* delta = call.gradients[layer->output];
    T* gradient = this->parameter->gradient.data();
    for (int64 v = 0; v < layer->vocabulary_; ++v)
        std::memset(gradient + v * units + first, 0, static_cast<size_t>(columns) * sizeof(T));
    const int64 count = layer->tokens(call);
    for (int64 i = 0; i < count; ++i) {
        T* to = gradient + token[i] * units + first;
        const T* from = delta + i * units + first;
        for (int64 j = 0; j < columns; ++j) to[j] += from[j];
    }
}

template class Embedding<float>;
template class Embedding<double>;

}  // namespace tauten
