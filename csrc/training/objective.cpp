#include "training/objective.h"

#include <cmath>
#include <cstring>

#include "core/check.h"

namespace tauten {

Loss parse_loss(const std::string& name) {
    if (name == "mean_squared_error") return Loss::mean_squared_error;
    if (name == "categorical_crossentropy") return Loss::categorical_crossentropy;
    if (name == "sparse_categorical_crossentropy") return Loss::sparse_categorical_crossentropy;
    if (name == "binary_crossentropy") return Loss::binary_crossentropy;
    if (name == "outside") return Loss::outside;
    fail("unknown loss '", name,
         "'; expected mean_squared_error, categorical_crossentropy, sparse_categorical_crossentropy, "
         "binary_crossentropy or outside");
}

Metric parse_metric(const std::string& name) {
    if (name == "binary_accuracy") return Metric::binary_accuracy;
    if (name == "categorical_accuracy") return Metric::categorical_accuracy;
    if (name == "sparse_categorical_accuracy") return Metric::sparse_categorical_accuracy;
    if (name == "mean_squared_error") return Metric::mean_squared_error;
    if (name == "mean_absolute_error") return Metric::mean_absolute_error;
    fail("unknown metric '", name,
         "'; expected binary_accuracy, categorical_accuracy, sparse_categorical_accuracy, mean_squared_error or "
         "mean_absolute_error");
}

template <class T>
void loss_rows(const kernels::Kernels<T>& k, Loss loss, const TargetRows<T>& r, const T* z, T scale, T* delta,
               double* losses) {
    const int64 n = r.columns;
    switch (loss) {
        case Loss::mean_squared_error:
            k.squared_error(r.rows, n, z, n, r.targets, n, r.weights, scale, delta, n, losses);
            break;
        case Loss::categorical_crossentropy:
        case Loss::sparse_categorical_crossentropy:
            k.softmax_cross_entropy(r.rows, n, z, n, r.labels, r.targets, n, r.weights, scale, nullptr, 0, delta, n,
                                    losses);
            break;
        case Loss::binary_crossentropy:
            k.sigmoid_cross_entropy(r.rows, n, z, n, r.targets, n, r.weights, scale, delta, n, losses);
            break;
        case Loss::outside:
            break;
        case Loss::given:
            for (int64 row = 0; row < r.rows; ++row)
                losses[row] = static_cast<double>(k.dot(n, z + row * n, 1, r.targets + row * n));
            if (delta) std::memcpy(delta, r.targets, static_cast<size_t>(r.rows * n) * sizeof(T));
            break;
    }
}

namespace {

template <class T>
int64 largest(const T* x, int64 n) {
    int64 best = 0;
    for (int64 i = 1; i < n; ++i)
        if (x[i] > x[best]) best = i;
    return best;
}

}  // namespace

template <class T>
void metric_rows(Metric metric, const TargetRows<T>& r, const T* outputs, double* values) {
    const int64 n = r.columns;
    for (int64 row = 0; row < r.rows; ++row) {
        const T* y = outputs + row * n;
        const T* t = r.targets + row * n;
        double value = 0;
        switch (metric) {
            case Metric::sparse_categorical_accuracy:
                value = largest(y, n) == r.labels[row];
                break;
            case Metric::categorical_accuracy:
                value = largest(y, n) == largest(t, n);
                break;
            case Metric::binary_accuracy:
                for (int64 i = 0; i < n; ++i) value += (y[i] > T(0.5) ? T(1) : T(0)) == t[i];
                value /= static_cast<double>(n);
                break;
            case Metric::mean_squared_error:
                for (int64 i = 0; i < n; ++i) value += static_cast<double>(y[i] - t[i]) * static_cast<double>(y[i] - t[i]);
                value /= static_cast<double>(n);
                break;
            case Metric::mean_absolute_error:
                for (int64 i = 0; i < n; ++i) value += std::fabs(static_cast<double>(y[i] - t[i]));
                value /= static_cast<double>(n);
                break;
        }
        values[row] = value;
    }
}

template void loss_rows<float>(const kernels::Kernels<float>&, Loss, const TargetRows<float>&, const float*, float,
                               float*, double*);
template void loss_rows<double>(const kernels::Kernels<double>&, Loss, const TargetRows<double>&, const double*, double,
                                double*, double*);
template void metric_rows<float>(Metric, const TargetRows<float>&, const float*, double*);
template void metric_rows<double>(Metric, const TargetRows<double>&, const double*, double*);

}  // namespace tauten
