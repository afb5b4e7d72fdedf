#include "layers/bidirectional.h"

namespace tauten {

template <class T>
Bidirectional<T>::Bidirectional(Place place, Direction first, Direction second, Merge merge)
    : Node<T>(std::move(place)), directions_{std::move(first), std::move(second)},
      first_states_(static_cast<int>(directions_[0]->state_widths().size())), merge_(merge) {
    for (const Direction& direction : directions_)
        for (const auto& parameter : direction->parameters) this->parameters.push_back(parameter);
    if (merge_ == Merge::concat) directions_[1]->write_columns(directions_[0]->units());
    for (const Direction& direction : directions_)
        if (merged()) direction->write_buffers(0, 0);
    directions_[0]->add_input_gradient(false, false);
    directions_[1]->add_input_gradient(true, true);
}

template <class T>
void Bidirectional<T>::set_axis(int axis) {
    for (const Direction& direction : directions_) direction->set_axis(axis);
}

// x, and the states that the directions begin with, the first one's in front; likewise h and what they end with.
template <class T>
std::vector<int> Bidirectional<T>::inputs() const {
    std::vector<int> all = directions_[0]->inputs(), more = directions_[1]->inputs();
    all.insert(all.end(), more.begin() + 1, more.end());
    return all;
}

template <class T>
std::vector<int> Bidirectional<T>::outputs() const {
    std::vector<int> all{directions_[0]->output};
    if (merge_ == Merge::none) all.push_back(directions_[1]->output);
    for (const Direction& direction : directions_) all.insert(all.end(), direction->ends().begin(), direction->ends().end());
    return all;
}

template <class T>
void Bidirectional<T>::replace_input(int from, int to) {
    Node<T>::replace_input(from, to);
    for (const Direction& direction : directions_) direction->replace_input(from, to);
}

template <class T>
void Bidirectional<T>::plan(const std::vector<Edge>& edges) {
    output_ = edges[static_cast<size_t>(this->output)].value;
    for (const Direction& direction : directions_) direction->plan(edges);
}

template <class T>
void Bidirectional<T>::set_first_extra(int first) {
    Node<T>::set_first_extra(first);
    int next = first + own_extras();
    for (int i = 0; i < 2; ++i) {
        if (merged()) directions_[i]->write_buffers(first + i, first + 2 + i);
        directions_[i]->set_first_extra(next);
        next += directions_[i]->extra_count();
    }
}

template <class T>
void Bidirectional<T>::set_below_trainable(bool trainable) {
    Node<T>::set_below_trainable(trainable);
    for (const Direction& direction : directions_) direction->set_below_trainable(trainable);
}

template <class T>
double Bidirectional<T>::work(const Call<T>& call) const {
    return directions_[0]->work(call) + directions_[1]->work(call);
}

template <class T>
int Bidirectional<T>::extra_count() const {
    return own_extras() + directions_[0]->extra_count() + directions_[1]->extra_count();
}

template <class T>
void Bidirectional<T>::extra_bytes(const Call<T>& call, std::vector<int64>& bytes) const {
    const int64 size = output_.size(call.batch, call.axes) * static_cast<int64>(sizeof(T));
    for (int i = 0; i < own_extras(); ++i) bytes.push_back(i < 2 || call.backward ? size : 0);
    for (const Direction& direction : directions_) direction->extra_bytes(call, bytes);
}

template <class T>
std::vector<int64> Bidirectional<T>::state_widths() const {
    std::vector<int64> widths = directions_[0]->state_widths();
    for (int64 width : directions_[1]->state_widths()) widths.push_back(width);
    return widths;
}

template <class T>
std::pair<const Recurrent<T>*, int> Bidirectional<T>::owner(int state) const {
    if (state < first_states_) return {directions_[0].get(), state};
    return {directions_[1].get(), state - first_states_};
}

template <class T>
Strided<T> Bidirectional<T>::initial_state(const Call<T>& call, int state) const {
    const auto [direction, own] = owner(state);
    return direction->initial_state(call, own);
}

template <class T>
Strided<T> Bidirectional<T>::final_state(const Call<T>& call, int state) const {
    const auto [direction, own] = owner(state);
    return direction->final_state(call, own);
}

template <class T>
int64 Bidirectional<T>::stale_parts(const Call<T>& call) {
    first_parts_ = directions_[0]->stale_parts(call);
    return first_parts_ + directions_[1]->stale_parts(call);
}

template <class T>
void Bidirectional<T>::refresh_part(const kernels::Kernels<T>& kernels, int64 part) {
    if (part < first_parts_)
        directions_[0]->refresh_part(kernels, part);
    else
        directions_[1]->refresh_part(kernels, part - first_parts_);
}

template <class T>
void Bidirectional<T>::refreshed() {
    for (const Direction& direction : directions_) direction->refreshed();
}

template <class T>
std::vector<Product<T>*> Bidirectional<T>::products() {
    std::vector<Product<T>*> all = directions_[0]->products();
    for (Product<T>* product : directions_[1]->products()) all.push_back(product);
    return all;
}

template <class T>
std::vector<Scatter<T>*> Bidirectional<T>::scatters() {
    std::vector<Scatter<T>*> all = directions_[0]->scatters();
    for (Scatter<T>* scatter : directions_[1]->scatters()) all.push_back(scatter);
    return all;
}

template <class T>
template <class F>
void Bidirectional<T>::for_each_number(const Call<T>& call, Slice slice, F&& f) const {
    for_each_run(output_, call.batch, call.axes, slice,
                 [&](int64 first, int64 rows) { f(first * output_.channels, rows * output_.channels); });
}

template <class T>
bool Bidirectional<T>::in_parts(const Call<T>& call, Way way) const {
    return way == Way::forward && !call.backward;
}

template <class T>
bool Bidirectional<T>::split_by_direction(const Call<T>& call, Slice slice) const {
    return slice.parts == 2 || (slice.parts > 2 && !(directions_[0]->in_parts(call, Way::forward) && directions_[1]->in_parts(call, Way::forward)));
}

// Parts that take a direction each need not meet on the way.
template <class T>
void Bidirectional<T>::forward(const Call<T>& call, Slice slice, int phase, T* scratch) const {
    if (split_by_direction(call, slice)) {
        if (slice.part < 2) directions_[slice.part]->forward(call, {slice.begin, slice.end}, phase, scratch);
    } else {
        for (const Direction& direction : directions_) direction->forward(call, slice, phase, scratch);
    }
    if (!merged()) return;
    slice.meet();
    if (slice.part > 0) return;
    const T* a = this->extra(call, 0);
    const T* b = this->extra(call, 1);
    T* y = call.values[this->output];
    for_each_number(call, slice, [&](int64 first, int64 count) {
        for (int64 i = first; i < first + count; ++i)
            y[i] = merge_ == Merge::multiply ? a[i] * b[i] : merge_ == Merge::sum ? a[i] + b[i] : (a[i] + b[i]) / 2;
    });
}

template <class T>
void Bidirectional<T>::backward(const Call<T>& call, Slice slice, int phase, T* scratch) const {
    if (merged()) {
        const T* a = this->extra(call, 0);
        const T* b = this->extra(call, 1);
        T* a_gradient = this->extra(call, 2);
        T* b_gradient = this->extra(call, 3);
        const T* gradient = call.gradients[this->output];
        for_each_number(call, slice, [&](int64 first, int64 count) {
            const T share = merge_ == Merge::average ? T(0.5) : T(1);
            for (int64 i = first; i < first + count; ++i) {
                a_gradient[i] = gradient[i] * (merge_ == Merge::multiply ? b[i] : share);
                b_gradient[i] = gradient[i] * (merge_ == Merge::multiply ? a[i] : share);
            }
        });
    }
    for (const Direction& direction : directions_) direction->backward(call, slice, phase, scratch);
}

template class Bidirectional<float>;
template class Bidirectional<double>;

}  // namespace tauten
