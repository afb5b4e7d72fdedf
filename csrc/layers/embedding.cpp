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
int64 Embedding<T>::scatter_parts() const {
    return divide_up(units_, part_columns);
}

// ∇E[v] = Σ over positions with token v of δ, positions in order: a part owns some columns and passes over all.
template <class T>
void Embedding<T>::scatter_part(const Call<T>& call, int64 part) const {
    const int64 first = part * part_columns, columns = std::min(part_columns, units_ - first);
    const int32* token = call.tokens(this->input);
    const T* delta = call.gradients[this->output];
    T* gradient = table_->gradient.data();
    for (int64 v = 0; v < vocabulary_; ++v)
        std::memset(gradient + v * units_ + first, 0, static_cast<size_t>(columns) * sizeof(T));
    const int64 count = tokens(call);
    for (int64 i = 0; i < count; ++i) {
        T* to = gradient + token[i] * units_ + first;
        const T* from = delta + i * units_ + first;
        for (int64 j = 0; j < columns; ++j) to[j] += from[j];
    }
}

template class Embedding<float>;
template class Embedding<double>;

}  // namespace tauten
