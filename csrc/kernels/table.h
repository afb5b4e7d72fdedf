// The kernels of one instruction-set level behind one table of function pointers, a table a scalar type.
// Everything heavy in Tauten happens in these functions; callers choose rows, taps and epilogue.
//
// Rules that every kernel keeps, at every level (docs/design.md, 3 and 5):
// - an output element is one chain of operations in a fixed order over K, whatever the tile it fell
//   into: results never depend on how rows or columns were shared out;
// - multiply-adds are fused where the level has them, never contracted by the compiler;
// - tails run the same vector code on masked or zero-filled vectors;
// - reads may run up to `slack` elements past the last element of an input (arenas are padded for it),
//   writes never leave the extents given.
#pragma once

#include <type_traits>

#include "core/types.h"

namespace tauten::kernels {

// Elements that a kernel may read (never write) past the end of an operand.
inline constexpr int64 slack = 64;

// One term of the batch-reduced product: C[m, n] += Σ_k A[m, k] · B[k, n],
//   A[m, k] = a[m * a_row + k * a_column],  one of the two strides is 1
//   B[k, n] = b[panel(n) * b_panel + k * b_row + n % width],  width = GemmArguments::panel_width
template <class T>
struct Tap {
    const T* a;
    const T* b;
    int64 a_row;
    int64 a_column;
    int64 b_row;
    int64 b_panel;
    int64 k;
};

// C = epilogue(start + Σ_taps A_tap · B_tap), rows x columns
//   C[m, n] = c[panel(n) * c_panel + m * c_row + n % panel_width]
//   start   = C itself if accumulate, else bias (per column, padded to whole panels), else 0
//   epilogue: outputs == nullptr: C = f(C), f = activation
//             outputs != nullptr: C = C ⊙ f'(outputs): the ∂f of the layer below, whose outputs
//             lie as outputs[m * outputs_row + n]
// All taps of one call agree in which stride of A is 1: a_column (activations as they lie) or
// a_row (weight gradients: A transposed as it lies).
template <class T>
struct GemmArguments {
    const Tap<T>* taps;
    int64 tap_count;
    int64 rows, columns;
    int64 panel_width;  // elements from panel to panel along n: Kernels::panel (or Kernels::lanes * 4)
    T* c;
    int64 c_row, c_panel;
    const T* bias;
    bool accumulate;
    Activation activation;
    const T* outputs;
    int64 outputs_row;
    // Rows of A transposed may come in groups of group_rows neighbours, at most half a tile, a_group elements apart; 0: all
    // are neighbours.
    int64 group_rows = 0, a_group = 0;
};

// One LSTM time step for `rows` rows (§26.2.2). Gate order in memory: a panel holds `lanes` units, as
// [κ (input) x lanes][φ (forget) x lanes][u (candidate) x lanes][ω (output) x lanes]; the last panel is
// zero-filled beyond `units`. panel_width is 4 * lanes.
//   net   = bias + Σ_taps A · B          (x_t·W_i and h_{t-1}·W_h)
//   κ, φ, ω = recurrent_activation(net);  u = activation(net)
//   c_t   = κ ⊙ u + φ ⊙ c_{t-1};          h_t = ω ⊙ activation(c_t)
template <class T>
struct LstmForward {
    const Tap<T>* taps;
    int64 tap_count;
    int64 rows, units;
    const T* bias;           // padded to whole panels, or nullptr
    int64 bias_row;          // 0: the same for every row
    T* gates;                // out: κ φ u ω in panel order, whole panels; nullptr in inference
    int64 gates_row;
    const T* memory_before;  // c_{t-1}, whole lanes a row; nullptr stands for zeros
    int64 memory_before_row;
    T* memory;               // c_t, whole lanes a row (may be memory_before itself)
    int64 memory_row;
    T* hidden;               // h_t, `units` a row, never h_{t-1}'s memory
    int64 hidden_row;
    Activation activation, recurrent_activation;
};

// The same step backwards (§26.2.3): gates are replaced by their net gradients, in place.
//   δh    = above + Σ_taps A · B         (taps: δ_{t+1}·W_hᵀ, columns = units; none at the last step)
//   δc   += δh ⊙ ω ⊙ f'(f(c_t))          (δc carried from step t+1, in place)
//   δω    = δh ⊙ f(c_t) ⊙ σ'(ω);  δφ = δc ⊙ c_{t-1} ⊙ σ'(φ);  δκ = δc ⊙ u ⊙ σ'(κ);  δu = δc ⊙ κ ⊙ f'(u)
//   δc    = δc ⊙ φ
template <class T>
struct LstmBackward {
    const Tap<T>* taps;      // packed in panels of Kernels::panel columns
    int64 tap_count;
    int64 rows, units;
    const T* above;          // ∂E/∂h_t from the readers of h_t, `units` a row; nullptr stands for zeros
    int64 above_row;
    T* gates;                // in: κ φ u ω of step t; out: their net gradients
    int64 gates_row;
    const T* memory;         // c_t
    int64 memory_row;
    const T* memory_before;  // c_{t-1} or nullptr
    int64 memory_before_row;
    T* memory_gradient;      // δc, whole lanes a row, in place
    int64 memory_gradient_row;
    Activation activation, recurrent_activation;
};

// One step of an RNN with a forget gate for `rows` rows (§26.2.1), laid out as the LSTM's with two gates a unit:
// [φ (forget) x lanes][u (candidate) x lanes]; panel_width is 2 * lanes.
//   φ = recurrent_activation(net);  u = activation(net);  h_t = φ ⊙ h_{t-1} + (1 - φ) ⊙ u
template <class T>
struct ForgetGateForward {
    const Tap<T>* taps;
    int64 tap_count;
    int64 rows, units;
    const T* bias;           // padded to whole panels, or nullptr
    int64 bias_row;          // 0: the same for every row
    T* gates;                // out: φ u in panel order, whole panels; nullptr in inference
    int64 gates_row;
    const T* hidden_before;  // h_{t-1}; nullptr stands for zeros
    int64 hidden_before_row;
    T* hidden;               // h_t, never h_{t-1}'s memory
    int64 hidden_row;
    Activation activation, recurrent_activation;
};

// The same step backwards: gates are replaced by their net gradients, in place.
//   δh = above + Σ_taps A · B + carried
//   δφ = δh ⊙ (h_{t-1} - u) ⊙ σ'(φ);  δu = δh ⊙ (1 - φ) ⊙ f'(u);  carried = δh ⊙ φ
template <class T>
struct ForgetGateBackward {
    const Tap<T>* taps;      // packed in panels of Kernels::panel columns
    int64 tap_count;
    int64 rows, units;
    const T* above;          // ∂E/∂h_t from the readers of h_t; nullptr stands for zeros
    int64 above_row;
    T* gates;                // in: φ u of step t; out: their net gradients
    int64 gates_row;
    const T* hidden_before;  // h_{t-1} or nullptr
    int64 hidden_before_row;
    T* carried;              // δh_{t+1} ⊙ φ_{t+1}, whole lanes a row, in place
    int64 carried_row;
    Activation activation, recurrent_activation;
};

// One GRU step for `rows` rows, its reset gate behind the product (Cho et al. 2014 as cuDNN and Keras have it), laid out as
// the LSTM's: four net values a unit, [u of x_t x lanes][z (update) x lanes][r (reset) x lanes][u of h_{t-1} x lanes].
//   n = start + (x_t·W, 0) + (0, h_{t-1}·U)       W and U in panels of 3 * lanes: W's in the order u z r, U's z r u
//   z, r = recurrent_activation(n_1, n_2);  u = activation(n_0 + r ⊙ n_3);  h_t = z ⊙ h_{t-1} + (1 - z) ⊙ u
template <class T>
struct GruForward {
    const Tap<T>* input;      // nullptr: `start` has x_t·W
    const Tap<T>* recurrent;  // nullptr: h_{t-1} is zero
    int64 rows, units;
    const T* start;           // of the net values, whole panels: biases
    int64 start_row;          // 0: the same for every row
    T* values;                // out: u z r n_3, whole panels; nullptr in inference
    int64 values_row;
    const T* hidden_before;   // h_{t-1}; nullptr stands for zeros
    int64 hidden_before_row;
    T* hidden;                // h_t, never h_{t-1}'s memory
    int64 hidden_row;
    Activation activation, recurrent_activation;
};

// The same step backwards: values are replaced by gradients, in place: δu, δz, δr, which belong to W's product, and
// r ⊙ δu, which with δz and δr belongs to U's.
//   δh = above + Σ_taps A · B + carried
//   δz = δh ⊙ (h_{t-1} - u) ⊙ σ'(z);  δu = δh ⊙ (1 - z) ⊙ f'(u);  δr = δu ⊙ n_3 ⊙ σ'(r);  carried = δh ⊙ z
template <class T>
struct GruBackward {
    const Tap<T>* taps;       // packed in panels of Kernels::panel columns
    int64 tap_count;
    int64 rows, units;
    const T* above;           // ∂E/∂h_t from the readers of h_t; nullptr stands for zeros
    int64 above_row;
    T* values;                // in: u z r n_3 of step t; out: δu δz δr r⊙δu
    int64 values_row;
    const T* hidden_before;   // h_{t-1} or nullptr
    int64 hidden_before_row;
    T* carried;               // δh_{t+1} ⊙ z_{t+1}, whole lanes a row, in place
    int64 carried_row;
    Activation activation, recurrent_activation;
};

// A term of a depthwise convolution: the input as one window position sees it, and its weights, one a channel.
template <class T>
struct DepthwiseTap {
    const T* x;
    const T* w;
};

// A line of positions: y[i, c] = f(start + Σ_t x_t[i * x_row + c] · w_t[c]), taps in order
//   start and epilogue as GemmArguments have them
template <class T>
struct DepthwiseArguments {
    const DepthwiseTap<T>* taps;
    int64 tap_count;
    int64 positions, channels;
    int64 x_row;
    T* y;
    int64 y_row;
    const T* bias;
    bool accumulate;
    Activation activation;
    const T* outputs;
    int64 outputs_row;
};

// Its weights' gradients: sums[t * channels + c] += Σ_i x_t[i * x_row + c] · delta[i * delta_row + c], i in order
template <class T>
struct DepthwiseGradient {
    const T* const* x;
    int64 tap_count;
    int64 positions, channels;
    int64 x_row;
    const T* delta;
    int64 delta_row;
    T* sums;
};

// Pooling over windows of up to three spatial dimensions; 1D and 2D have unit extents in front.
// Strides are in elements. Positions outside the input do not take part: a max ignores them, an
// average divides by the number of positions inside (Keras' and TensorFlow's "same").
template <class T>
struct PoolArguments {
    int64 channels;
    int64 input_extent[3], input_stride[3];    // stride of one position; channels are contiguous
    int64 output_extent[3], output_stride[3];
    int64 window[3], step[3], before[3];       // window extents, strides, padding in front
    const T* input;
    T* output;                                 // of max, backward reads it, too
    uint8* argmax;                             // max only: window index a channel, outputs one after the other
    int64 argmax_stride;                       // of one output
    // backward
    const T* output_gradient;
    int64 output_gradient_stride[3];
    T* input_gradient;                         // assigned, not accumulated
    int64 input_gradient_stride[3];
    Activation below;                          // input_gradient ⊙= f'(input)
};

// Patches of a Winograd transform (winograd.cpp): element (i, j) of patch n lies at from[n] + i * from_row + j * from_column,
// `channels` values each; in one dimension i is 0. Of outputs those from rows[n] and columns[n] on are not written;
// the rest gets the bias, ReLU, and is 0 where the layer below has a ReLU that is closed: below[n] as to[n].
template <class T>
struct WinogradPatches {
    int64 count, channels;
    const T* const* from;
    int64 from_row, from_column;
    T* const* to;
    int64 to_row, to_column;
    // outputs only
    const int32* rows;
    const int32* columns;
    const T* bias;
    bool relu;
    const T* const* below;  // nullptr: no ReLU there
    int64 below_row, below_column;
};

// The transforms of F(outputs, taps) in one or two dimensions; a patch has (points or outputs or taps)^dims elements.
template <class T>
struct WinogradTransforms {
    using Transform = void (*)(const WinogradPatches<T>&);
    int64 outputs, taps, points;
    int dims;
    Transform input;     // points -> points: Bᵀ d B
    Transform delta;     // outputs -> points: A δ Aᵀ
    Transform output;    // points -> outputs: Aᵀ M A, finished
    Transform weights;   // taps -> points: G g Gᵀ
    Transform gradient;  // points -> taps: Gᵀ ∂U G
};

// An integer as wide as T: vectors of both have as many lanes.
template <class T>
using Index = std::conditional_t<sizeof(T) == 4, int32, int64>;

// One element of a weighted window: it multiplies input[i · step + offset]; `number` is its place in the window.
template <class T>
struct AggregateTap {
    int64 offset;
    T weight;
    Index<T> number;
};

// n outputs of a window that slides `step` elements a time along a line (§26.3.4), of any sum, mean or maximum of the
// products. Elements of the window that would lie outside the input are not among the taps.
template <class T>
struct AggregateArguments {
    const AggregateTap<T>* taps;
    int64 tap_count;
    int64 n, step;
    const T* input;
    T* output;
    T divisor;          // aggregate_sum only: 1, or the number of taps for a mean
    Index<T>* which;  // aggregate_max only: the number of the tap that won; nullptr: not wanted
};

// Dropout's mask is a function of these and never stored (Philox4x32-10; §26.4.2, inverted dropout).
struct DropoutKey {
    uint64 seed;
    uint64 call;   // number of the training step
    uint32 layer;
};

enum class Combination { sum, difference, product, maximum, minimum };

// What makes a step out of a gradient; its memory is up to so many slots, a value a weight each:
//   sgd      velocity (with momentum)
//   adam     mean m, mean square v, its largest so far (amsgrad)
//   rmsprop  mean square v, momentum, mean gradient (centered)
//   adagrad  sum of squares
enum class Rule : int { sgd, adam, rmsprop, adagrad };
inline constexpr int rule_slots = 3;

// One step's numbers, the same for all weights.
template <class T>
struct UpdateSettings {
    Rule rule = Rule::sgd;
    bool nesterov = false, amsgrad = false, centered = false;
    T rate = 0;                         // η; Adam's: times sqrt(1 - β2^t) / (1 - β1^t)
    T momentum = 0;                     // of SGD and RMSprop
    T keep = 0, take = 0, take_square = 0;  // RMSprop: ρ, 1 - ρ, 1 - ρ;  Adam: -, 1 - β1, 1 - β2
    T epsilon = 0;
    T decay = 0;                        // η · weight decay
    T bound = 0;                        // gradients are cut to [-bound, bound]; 0: they are not
    bool accumulated = false;           // the gradient is (what comes + accumulator) / divisor,
    bool accumulate = false;            // or this step adds to the accumulator and leaves the weights as they are
    T divisor = 1;
    bool average = false, overwrite = false;  // keep an average of the weights; put it into them
    T average_momentum = 0;
};

// Consecutive weights with what belongs to them; arrays that the settings do not ask for are not read.
template <class T>
struct UpdateBlock {
    int64 n;
    T* weights;
    const T* gradient;
    T* slots[rule_slots];
    T* average;
    T* accumulator;
    T l1, l2;       // penalty l1·Σ|w| + l2·Σw²; sign(0) = 0
    T scale;        // of the gradient, after all else: it is clipped by a norm
    bool finished;  // the gradient has penalty and accumulator in it
};

template <class T>
struct Kernels {
    int64 lanes;  // elements a vector
    int64 panel;  // columns a weight panel holds: 2 * lanes
    int64 tile;   // rows of the largest register tile over a panel

    // -- the building block and the cells on it
    void (*gemm)(const GemmArguments<T>&);
    void (*lstm_forward)(const LstmForward<T>&);
    void (*lstm_backward)(const LstmBackward<T>&);
    void (*forget_gate_forward)(const ForgetGateForward<T>&);
    void (*forget_gate_backward)(const ForgetGateBackward<T>&);
    void (*gru_forward)(const GruForward<T>&);
    void (*gru_backward)(const GruBackward<T>&);

    // -- packing: panels[p][n][0..panel) = W[k = p * panel .., n], zero-filled beyond k. W is read at w[k * w_row + n].
    void (*pack_transposed)(int64 k, int64 columns, const T* w, int64 w_row, T* panels, int64 panel_stride);

    // -- elementwise over rows x columns
    void (*activate)(Activation f, int64 rows, int64 columns, const T* x, int64 x_row, T* y, int64 y_row);
    // gradient ⊙= f'(outputs)
    void (*activation_gradient)(Activation f, int64 rows, int64 columns, const T* outputs, int64 outputs_row,
                                T* gradient, int64 gradient_row);
    void (*softmax)(int64 rows, int64 columns, const T* x, int64 x_row, T* y, int64 y_row);
    // x_gradient = y ⊙ (y_gradient - Σ y_gradient y): the full Jacobian of softmax; may be in place
    void (*softmax_gradient)(int64 rows, int64 columns, const T* y, int64 y_row, const T* y_gradient,
                             int64 y_gradient_row, T* x_gradient, int64 x_gradient_row);
    // y = log softmax(x);  x_gradient = y_gradient - e^y Σ y_gradient, may be in place
    void (*log_softmax)(int64 rows, int64 columns, const T* x, int64 x_row, T* y, int64 y_row);
    void (*log_softmax_gradient)(int64 rows, int64 columns, const T* y, int64 y_row, const T* y_gradient,
                                 int64 y_gradient_row, T* x_gradient, int64 x_gradient_row);
    // y = f(x);  x_gradient = y_gradient ⊙ f'(x): over n values, may be in place
    void (*pointwise)(const PointwiseFunction& f, int64 n, const T* x, T* y);
    void (*pointwise_gradient)(const PointwiseFunction& f, int64 n, const T* x, const T* y_gradient, T* x_gradient);
    // y = x > 0 ? x : alpha x, rows one after the other; alpha: one a column, or one for all
    void (*prelu)(int64 rows, int64 columns, const T* x, const T* alpha, bool each, T* y);
    // alpha_gradient += Σ [x <= 0] x ⊙ y_gradient over the values that share it, rows in order;
    // x_gradient = y_gradient ⊙ (x > 0 ? 1 : alpha), which may be y_gradient; either may be nullptr
    void (*prelu_gradient)(int64 rows, int64 columns, const T* x, const T* alpha, bool each, const T* y_gradient,
                           T* x_gradient, T* alpha_gradient);
    // y = u ⊙ x / keep, u ~ Bernoulli(keep) keyed by (key, sample, first_element + column); may be in place
    void (*dropout)(DropoutKey key, T keep, uint64 sample, uint64 first_element, int64 columns, const T* x, T* y);

    // -- the transforms for filters of `taps` taps (3, 5, 7) in 1 or 2 dimensions; nullptr where there are none
    const WinogradTransforms<T>* (*winograd)(int dims, int64 taps);

    // -- normalization; rows follow each other
    // mean[n] = Σ_rows x / rows, squares[n] = Σ_rows (x - mean)²: the mean first, then squared deviations
    void (*column_moments)(int64 rows, int64 columns, const T* x, double* mean, double* squares);
    // y = f((x - shift) scale + offset + addend), shift, scale and offset by column, addend nullptr: none; may be in place
    void (*normalize)(Activation f, int64 rows, int64 columns, const T* x, const T* shift, const T* scale, const T* offset,
                      const T* addend, T* y);
    // sums[n] = Σ_rows δ, products[n] = Σ_rows δ (x - shift)
    void (*normalize_sums)(int64 rows, int64 columns, const T* x, const T* shift, const T* delta, double* sums,
                           double* products);
    // gradient = (scale δ + slope (x - shift) + offset) ⊙ f'(x), f the activation that x is the output of
    void (*normalize_gradient)(Activation below, int64 rows, int64 columns, const T* x, const T* delta, const T* shift,
                               const T* scale, const T* slope, const T* offset, T* gradient);
    // Of each row: moments = mean m, 1 / sqrt(variance + epsilon) s;  y = (x - m) s ⊙ gamma + beta
    void (*layer_norm)(int64 rows, int64 columns, T epsilon, const T* x, const T* gamma, const T* beta, T* moments, T* y);
    // gradient = s (g - mean(g) - x̂ mean(g ⊙ x̂)), g = δ ⊙ gamma, x̂ = (x - m) s
    void (*layer_norm_gradient)(int64 rows, int64 columns, const T* x, const T* moments, const T* gamma, const T* delta,
                                T* gradient);
    // products[n] += Σ_rows δ x̂, sums[n] += Σ_rows δ; rows of x and δ are `stride` apart
    void (*layer_norm_sums)(int64 rows, int64 columns, int64 stride, const T* x, const T* moments, const T* delta,
                            T* products, T* sums);

    // -- depthwise convolution of one line of positions
    void (*depthwise)(const DepthwiseArguments<T>&);
    void (*depthwise_gradient)(const DepthwiseGradient<T>&);

    // -- pooling of one sample
    void (*max_pool)(const PoolArguments<T>&);
    void (*average_pool)(const PoolArguments<T>&);
    void (*max_pool_gradient)(const PoolArguments<T>&);
    void (*average_pool_gradient)(const PoolArguments<T>&);

    // -- weighted windows along a line
    void (*aggregate_sum)(const AggregateArguments<T>&);
    void (*aggregate_max)(const AggregateArguments<T>&);
    // y[i · y_step] += factor · x[i]
    void (*add_scaled)(int64 n, T factor, const T* x, T* y, int64 y_step);
    // Σ x[i · x_step] y[i]
    T (*dot)(int64 n, const T* x, int64 x_step, const T* y);

    // -- reductions
    // sums[n] (+)= Σ_rows x[row, n], rows in order; accumulate adds to what sums holds
    void (*column_sums)(int64 rows, int64 columns, const T* x, int64 x_row, T* sums, bool accumulate);
    void (*add)(int64 n, const T* x, T* y);  // y += x
    // y[n] = max_rows x[row, n], index[n] = first + the row that reaches it first; a NaN wins; accumulate: over what y
    // and index hold, too
    void (*column_maxima)(int64 rows, int64 columns, const T* x, int64 x_row, int64 first, T* y, Index<T>* index,
                          bool accumulate);

    // -- several arrays of n values each
    // y = a ∘ b, or factor · x; y may be a or x
    void (*combine)(Combination how, int64 n, const T* a, const T* b, T* y);
    void (*scale)(int64 n, T factor, const T* x, T* y);
    // gradient = x = y ? rest : 0, and what it took is no longer in rest: the first of several x that are y gets it all
    void (*claim)(int64 n, const T* x, const T* y, T* rest, T* gradient);

    // -- losses of rows; loss[row] is not yet multiplied by weight or scale
    // softmax cross-entropy from logits (stable: log-sum-exp). Either labels (class per row) or targets
    // (rows x columns) is given. probabilities and delta may be nullptr.
    //   loss = -Σ target · log softmax(logits);  delta = scale · weight[row] · (softmax · Σ target - target)
    void (*softmax_cross_entropy)(int64 rows, int64 columns, const T* logits, int64 logits_row,
                                  const int32* labels, const T* targets, int64 targets_row,
                                  const T* weights, T scale, T* probabilities, int64 probabilities_row,
                                  T* delta, int64 delta_row, double* loss);
    // binary cross-entropy from logits z (stable): mean over columns of max(z,0) - z·t + log(1 + e^-|z|)
    //   delta = scale · weight[row] · (σ(z) - t) / columns
    void (*sigmoid_cross_entropy)(int64 rows, int64 columns, const T* logits, int64 logits_row,
                                  const T* targets, int64 targets_row, const T* weights, T scale,
                                  T* delta, int64 delta_row, double* loss);
    // mean over columns of (y - t)²;  gradient = scale · weight[row] · 2 (y - t) / columns
    void (*squared_error)(int64 rows, int64 columns, const T* y, int64 y_row, const T* targets,
                          int64 targets_row, const T* weights, T scale, T* gradient, int64 gradient_row,
                          double* loss);

    // -- updates (updates.cpp has the equations)
    void (*update)(const UpdateSettings<T>&, const UpdateBlock<T>&);
    // to = the gradient with penalty, accumulator and scale; may be in place
    void (*finish_gradient)(const UpdateSettings<T>&, const UpdateBlock<T>&, T* to);
    // sums[0] = Σ|w|, sums[1] = Σw², in double, in a fixed order
    void (*penalty_sums)(int64 n, const T* w, double* sums);
    // no infinity and no NaN
    bool (*all_finite)(int64 n, const T* x);

    // -- vector maths over arrays, for tests and benchmarks of what the kernels inline
    void (*exp)(int64 n, const T* x, T* y);
    void (*log)(int64 n, const T* x, T* y);
    void (*tanh)(int64 n, const T* x, T* y);
    void (*sigmoid)(int64 n, const T* x, T* y);
    // independent fused multiply-adds in registers; returns a number that depends on all of them (peak probe)
    T (*fma_peak)(int64 iterations, int64* flops);
};

enum class Level : int { baseline = 0, avx2 = 1, avx512 = 2 };

// Highest level that this processor and this build have; TAUTEN_ISA=baseline|avx2|avx512 asks for a lower one.
// Throws std::invalid_argument when TAUTEN_ISA names an unknown level or one that the machine lacks.
Level level();
bool level_available(Level);
const char* level_name(Level);

// The table of one level: for the levels that level_available().
template <class T>
const Kernels<T>& table(Level);
// The table in use.
template <class T>
const Kernels<T>& table();

}  // namespace tauten::kernels
