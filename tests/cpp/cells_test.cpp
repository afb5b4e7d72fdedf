// The LSTM step at every level: forward and backward against the equations in double, backward against numerical
// differentiation of two forward steps, whole panels that are 0 beyond the units, any cut of the rows.
#include <algorithm>

#include "kernel_test.h"

using namespace check;
using kernels::LstmBackward;
using kernels::LstmForward;
using kernels::Tap;

namespace {

// A layer of `units` on `features` inputs, W as Keras' (k, gate * units + unit) and packed, and `rows` rows of
// two time steps with everything that belongs to them.
template <class T>
struct Layer {
    const Kernels<T>& k;
    int64 rows, features, units, lanes, panels, gate_width, padded;
    Activation cell, gate;
    std::vector<double> w_input, w_hidden, bias;  // the plain ones
    std::vector<T> input_panels, hidden_panels, hidden_transposed, bias_panels;
    Guarded<T> x[2], start_hidden, start_memory, gates[2], memory[2], hidden[2], above[2], memory_gradient;

    Layer(const Kernels<T>& kernels, int64 rows_, int64 features_, int64 units_, Activation cell_, Activation gate_)
        : k(kernels), rows(rows_), features(features_), units(units_), lanes(k.lanes),
          panels((units + lanes - 1) / lanes), gate_width(4 * lanes * panels), padded(lanes * panels), cell(cell_),
          gate(gate_), x{{rows, features, features + 2, 1}, {rows, features, features, 0}},
          start_hidden(rows, units, units + 1, 0), start_memory(rows, padded, padded, 1),
          gates{{rows, gate_width, gate_width + 3, 0}, {rows, gate_width, gate_width, 1}},
          memory{{rows, padded, padded, 0}, {rows, padded, padded + 2, 0}},
          hidden{{rows, units, units, 1}, {rows, units, units + 5, 0}},
          above{{rows, units, units, 0}, {rows, units, units + 1, 2}}, memory_gradient(rows, padded, padded + 1, 0) {
        const auto random = [](int64 n) {
            std::vector<double> v(static_cast<std::size_t>(n));
            for (double& e : v) e = static_cast<double>(static_cast<T>(uniform()));
            return v;
        };
        w_input = random(features * 4 * units);
        w_hidden = random(units * 4 * units);
        bias = random(4 * units);
        for (int t = 0; t < 2; ++t) {
            x[t].fill([] { return uniform(); });
            above[t].fill([] { return uniform(); });
        }
        start_hidden.fill([] { return uniform(); });
        for (int64 r = 0; r < rows; ++r)
            for (int64 u = 0; u < units; ++u) start_memory(r, u) = static_cast<T>(uniform());  // NaN beyond
        pack();
    }

    // Gate g of `unit` in panel order.
    int64 place(int64 g, int64 unit) const { return unit / lanes * 4 * lanes + g * lanes + unit % lanes; }

    void pack() {
        const auto gate_panels = [&](const std::vector<double>& w, int64 depth) {
            std::vector<T> packed(static_cast<std::size_t>(depth * gate_width + kernels::slack));
            for (int64 d = 0; d < depth; ++d)
                for (int64 g = 0; g < 4; ++g)
                    for (int64 u = 0; u < units; ++u)
                        packed[static_cast<std::size_t>(u / lanes * depth * 4 * lanes + d * 4 * lanes + g * lanes + u % lanes)] =
                            static_cast<T>(w[static_cast<std::size_t>((d * 4 + g) * units + u)]);
            return packed;
        };
        input_panels = gate_panels(w_input, features);
        hidden_panels = gate_panels(w_hidden, units);
        const int64 width = k.panel, wide_panels = (units + width - 1) / width;
        hidden_transposed.assign(static_cast<std::size_t>(wide_panels * gate_width * width + kernels::slack), T(0));
        for (int64 d = 0; d < units; ++d)
            for (int64 g = 0; g < 4; ++g)
                for (int64 u = 0; u < units; ++u)
                    hidden_transposed[static_cast<std::size_t>(d / width * gate_width * width + place(g, u) * width + d % width)] =
                        static_cast<T>(w_hidden[static_cast<std::size_t>((d * 4 + g) * units + u)]);
        bias_panels.assign(static_cast<std::size_t>(gate_width), T(0));
        for (int64 g = 0; g < 4; ++g)
            for (int64 u = 0; u < units; ++u)
                bias_panels[static_cast<std::size_t>(place(g, u))] = static_cast<T>(bias[static_cast<std::size_t>(g * units + u)]);
    }

    const Guarded<T>& hidden_before(int t) const { return t == 0 ? start_hidden : hidden[t - 1]; }
    const Guarded<T>& memory_before(int t) const { return t == 0 ? start_memory : memory[t - 1]; }

    // Rows first .. first + count of step t; `training`: gates are kept; a state of zeros instead of the start.
    void forward(int t, int64 first, int64 count, bool training = true, bool from_zeros = false) {
        const Guarded<T>& before = hidden_before(t);
        const Tap<T> taps[] = {{x[t].data() + first * x[t].row(), input_panels.data(), x[t].row(), 1, 4 * lanes,
                                features * 4 * lanes, features},
                               {before.data() + first * before.row(), hidden_panels.data(), before.row(), 1, 4 * lanes,
                                units * 4 * lanes, units}};
        LstmForward<T> step{};
        step.taps = taps;
        step.tap_count = from_zeros ? 1 : 2;
        step.rows = count;
        step.units = units;
        step.bias = bias_panels.data();
        step.gates = training ? gates[t].data() + first * gates[t].row() : nullptr;
        step.gates_row = gates[t].row();
        step.memory_before = from_zeros ? nullptr : memory_before(t).data() + first * memory_before(t).row();
        step.memory_before_row = memory_before(t).row();
        step.memory = memory[t].data() + first * memory[t].row();
        step.memory_row = memory[t].row();
        step.hidden = hidden[t].data() + first * hidden[t].row();
        step.hidden_row = hidden[t].row();
        step.activation = cell;
        step.recurrent_activation = gate;
        k.lstm_forward(step);
    }
    void forward() {
        forward(0, 0, rows);
        forward(1, 0, rows);
    }

    void backward(int t, int64 first, int64 count, bool with_above = true, bool from_zeros = false) {
        const Tap<T> tap{gates[1].data() + first * gates[1].row(), hidden_transposed.data(), gates[1].row(), 1, k.panel,
                         gate_width * k.panel, gate_width};
        LstmBackward<T> step{};
        step.taps = &tap;
        step.tap_count = t == 0 ? 1 : 0;
        step.rows = count;
        step.units = units;
        step.above = with_above ? above[t].data() + first * above[t].row() : nullptr;
        step.above_row = above[t].row();
        step.gates = gates[t].data() + first * gates[t].row();
        step.gates_row = gates[t].row();
        step.memory = memory[t].data() + first * memory[t].row();
        step.memory_row = memory[t].row();
        step.memory_before = from_zeros ? nullptr : memory_before(t).data() + first * memory_before(t).row();
        step.memory_before_row = memory_before(t).row();
        step.memory_gradient = memory_gradient.data() + first * memory_gradient.row();
        step.memory_gradient_row = memory_gradient.row();
        step.activation = cell;
        step.recurrent_activation = gate;
        k.lstm_backward(step);
    }

    double net(int t, int64 r, int64 g, int64 u, bool from_zeros) const {
        double sum = bias[static_cast<std::size_t>(g * units + u)];
        for (int64 d = 0; d < features; ++d) sum += x[t](r, d) * w_input[static_cast<std::size_t>((d * 4 + g) * units + u)];
        for (int64 d = 0; !from_zeros && d < units; ++d)
            sum += hidden_before(t)(r, d) * w_hidden[static_cast<std::size_t>((d * 4 + g) * units + u)];
        return sum;
    }
    bool untouched_outside() const {
        return gates[0].intact() && gates[1].intact() && memory[0].intact() && memory[1].intact() &&
               hidden[0].intact() && hidden[1].intact() && memory_gradient.intact();
    }
    bool zero_beyond_units(const Guarded<T>& panel_rows, int64 per_unit) const {
        for (int64 r = 0; r < rows; ++r)
            for (int64 u = units; u < padded; ++u)
                for (int64 g = 0; g < per_unit; ++g)
                    if (panel_rows(r, per_unit == 1 ? u : place(g, u)) != 0) return false;
        return true;
    }
};


template <class T, class Body>
void each_size(const Kernels<T>& k, const Body& body) {
    for (const int64 units : {int64{1}, int64{3}, k.lanes - 1, k.lanes, 2 * k.lanes + 3, 4 * k.lanes})
        for (int64 rows = 0; rows <= 9; ++rows) body(rows, 1 + rows % 4, units);
    body(31, 5, k.lanes + 1);
}

}  // namespace

TEST(forward_follows_the_equations) {
    each_level([]<class T>(const Kernels<T>& k) {
        int64 n = 0;
        each_size(k, [&](int64 rows, int64 features, int64 units) {
            for (const bool from_zeros : {false, true}) {
                // the usual pair every other time, the others in turn
                ++n;
                const Activation cell = n % 2 ? Activation::tanh : cell_activations[n / 2 % 11];
                const Activation gate = n % 2 ? Activation::sigmoid : cell_activations[n / 6 % 11];
                Layer<T> s(k, rows, features, units, cell, gate);
                const int last = from_zeros ? 0 : 1;
                for (int t = 0; t <= last; ++t) s.forward(t, 0, rows, true, from_zeros);
                CHECK(s.untouched_outside());
                for (int t = 0; t <= last; ++t) {
                    bool right = true;
                    for (int64 r = 0; r < rows; ++r)
                        for (int64 u = 0; u < units; ++u) {
                            double value[4];
                            for (int64 g = 0; g < 4; ++g) {
                                value[g] = activation(g == 2 ? cell : gate, s.net(t, r, g, u, from_zeros));
                                right = right && near(s.gates[t](r, s.place(g, u)), value[g], roundings<T>(64, value[g]));
                            }
                            const double before = from_zeros ? 0 : static_cast<double>(s.memory_before(t)(r, u));
                            const double c = value[0] * value[2] + value[1] * before;
                            right = right && near(s.memory[t](r, u), c, roundings<T>(256, c) * 8);
                            const double h = value[3] * activation(cell, s.memory[t](r, u));
                            right = right && near(s.hidden[t](r, u), h, roundings<T>(256, h) * 8);
                        }
                    CHECK(right);
                    CHECK(s.zero_beyond_units(s.gates[t], 4) && s.zero_beyond_units(s.memory[t], 1));
                }
            }
        });
    });
}

// Inference keeps no gates and may update the memory in place; rows may be cut anywhere: the same bits.
TEST(forward_does_not_depend_on_the_cut) {
    each_level([]<class T>(const Kernels<T>& k) {
        for (const int64 units : {int64{3}, k.lanes, 2 * k.lanes + 1}) {
            const int64 rows = 29;
            Layer<T> s(k, rows, 4, units, Activation::tanh, Activation::sigmoid);
            s.forward();
            const Layer<T> whole = s;
            Layer<T> cut = s;
            for (int64 first = 0, count = 1; first < rows; first += count, count = count % 5 + 1)
                cut.forward(1, first, std::min(count, rows - first));
            s.forward(0, 0, rows, false);
            for (int64 r = 0; r < rows; ++r) {
                CHECK(same_bits(&cut.gates[1](r, 0), whole.gates[1].data() + r * whole.gates[1].row(), cut.gate_width));
                CHECK(same_bits(&cut.hidden[1](r, 0), whole.hidden[1].data() + r * whole.hidden[1].row(), units));
                CHECK(same_bits(&s.hidden[0](r, 0), whole.hidden[0].data() + r * whole.hidden[0].row(), units));
                CHECK(same_bits(&s.memory[0](r, 0), whole.memory[0].data() + r * whole.memory[0].row(), s.padded));
            }
            // memory is memory_before itself
            const Tap<T> tap{s.x[1].data(), s.input_panels.data(), s.x[1].row(), 1, 4 * s.lanes, 4 * 4 * s.lanes, 4};
            LstmForward<T> step{&tap, 1, rows, units, nullptr, 0, nullptr, 0, s.memory[0].data(), s.memory[0].row(),
                                s.memory[1].data(), s.memory[1].row(), s.hidden[1].data(), s.hidden[1].row(),
                                Activation::tanh, Activation::sigmoid};
            k.lstm_forward(step);
            const Guarded<T> apart = s.memory[1];
            step.memory = s.memory[0].data();
            step.memory_row = s.memory[0].row();
            k.lstm_forward(step);
            CHECK(s.memory[0].intact());
            for (int64 r = 0; r < rows; ++r)
                CHECK(same_bits(&s.memory[0](r, 0), apart.data() + r * apart.row(), s.padded));
        }
    });
}

TEST(backward_follows_the_equations) {
    each_level([]<class T>(const Kernels<T>& k) {
        int64 n = 0;
        each_size(k, [&](int64 rows, int64 features, int64 units) {
            for (const int option : {0, 1, 2}) {  // all, no gradient from above, zeros before the first step
                ++n;
                const Activation cell = n % 2 ? Activation::tanh : cell_activations[n / 2 % 11];
                const Activation gate = n % 2 ? Activation::sigmoid : cell_activations[n / 6 % 11];
                const bool with_above = option != 1, from_zeros = option == 2;
                Layer<T> s(k, rows, features, units, cell, gate);
                s.forward();
                for (int64 r = 0; r < rows; ++r)
                    for (int64 u = 0; u < units; ++u) s.memory_gradient(r, u) = static_cast<T>(uniform());
                for (int t = 1; t >= 0; --t) {
                    Layer<T> before = s;
                    s.backward(t, 0, rows, with_above, from_zeros);
                    CHECK(s.untouched_outside());
                    CHECK(s.zero_beyond_units(s.gates[t], 4) && s.zero_beyond_units(s.memory_gradient, 1));
                    bool right = true;
                    for (int64 r = 0; r < rows; ++r)
                        for (int64 u = 0; u < units; ++u) {
                            double dh = with_above ? static_cast<double>(s.above[t](r, u)) : 0, size = std::fabs(dh);
                            for (int64 g = 0; t == 0 && g < 4; ++g)
                                for (int64 v = 0; v < units; ++v) {
                                    const double term = s.gates[1](r, s.place(g, v)) *
                                                        s.w_hidden[static_cast<std::size_t>((u * 4 + g) * units + v)];
                                    dh += term;
                                    size += std::fabs(term);
                                }
                            double y[4];
                            for (int64 g = 0; g < 4; ++g) y[g] = before.gates[t](r, s.place(g, u));
                            const double c = s.memory[t](r, u), squashed = activation(cell, c);
                            const double dc = before.memory_gradient(r, u) + dh * y[3] * slope(cell, squashed);
                            const double c_before = from_zeros ? 0 : static_cast<double>(s.memory_before(t)(r, u));
                            const double expected[] = {dc * y[2] * slope(gate, y[0]), dc * c_before * slope(gate, y[1]),
                                                       dc * y[0] * slope(cell, y[2]), dh * squashed * slope(gate, y[3])};
                            double scale = (size + std::fabs(dc)) * (1 + std::fabs(c)) * (1 + std::fabs(c_before));
                            for (const double v : y) scale *= 1 + std::fabs(v) + v * v;
                            for (int64 g = 0; g < 4; ++g)
                                right = right && near(s.gates[t](r, s.place(g, u)), expected[g], roundings<T>(32, scale));
                            right = right && near(s.memory_gradient(r, u), dc * y[1], roundings<T>(32, scale));
                        }
                    CHECK(right);
                }
            }
        });
    });
}

TEST(backward_does_not_depend_on_the_cut) {
    each_level([]<class T>(const Kernels<T>& k) {
        const int64 rows = 37, units = 2 * k.lanes + 1;
        Layer<T> s(k, rows, 3, units, Activation::tanh, Activation::sigmoid);
        s.forward();
        s.memory_gradient.fill([] { return 0; });
        s.backward(1, 0, rows);
        Layer<T> cut = s;
        s.backward(0, 0, rows);
        for (int64 first = 0, count = 1; first < rows; first += count, count = count % 17 + 1)
            cut.backward(0, first, std::min(count, rows - first));
        for (int64 r = 0; r < rows; ++r) {
            CHECK(same_bits(&cut.gates[0](r, 0), &s.gates[0](r, 0), s.gate_width));
            CHECK(same_bits(&cut.memory_gradient(r, 0), &s.memory_gradient(r, 0), s.padded));
        }
    });
}

// E = Σ_t Σ above_t ⊙ h_t over two steps: ∂E/∂(x_t, h_0, c_0, bias) by central differences of lstm_forward in float64.
TEST(backward_is_the_derivative_of_forward) {
    each_level([]<class T>(const Kernels<T>& k) {
        if constexpr (sizeof(T) == 8) {
            const Activation pairs[][2] = {{Activation::tanh, Activation::sigmoid},
                                           {Activation::sigmoid, Activation::tanh},
                                           {Activation::linear, Activation::sigmoid}};
            for (const auto& pair : pairs)
                for (const int64 units : {int64{1}, int64{3}, k.lanes - 1, k.lanes, 2 * k.lanes + 3})
                    for (int64 rows = 1; rows <= 9; rows += 4) {
                        Layer<T> s(k, rows, 2, units, pair[0], pair[1]);
                        s.forward();
                        Layer<T> b = s;
                        b.memory_gradient.fill([] { return 0; });
                        b.backward(1, 0, rows);
                        b.backward(0, 0, rows);

                        const auto objective = [&] {
                            s.forward();
                            double e = 0;
                            for (int t = 0; t < 2; ++t)
                                for (int64 r = 0; r < rows; ++r)
                                    for (int64 u = 0; u < units; ++u) e += s.above[t](r, u) * s.hidden[t](r, u);
                            return e;
                        };
                        const auto check_derivative = [&](T& at, double analytic) {
                            const T kept = at, h = T(1e-6);
                            at = kept + h;
                            const double above = objective();
                            at = kept - h;
                            const double below = objective();
                            at = kept;
                            CHECK_NEAR(analytic, (above - below) / (2e-6), 2e-8 * (1 + std::fabs(analytic)));
                        };
                        // Σ over gates and units of δ_t[r] · W[d]
                        const auto through = [&](int t, int64 r, const std::vector<double>& w, int64 d) {
                            double sum = 0;
                            for (int64 g = 0; g < 4; ++g)
                                for (int64 u = 0; u < units; ++u)
                                    sum += b.gates[t](r, s.place(g, u)) * w[static_cast<std::size_t>((d * 4 + g) * units + u)];
                            return sum;
                        };
                        for (int64 r = 0; r < rows; ++r) {
                            for (int t = 0; t < 2; ++t)
                                for (int64 d = 0; d < 2; ++d) check_derivative(s.x[t](r, d), through(t, r, s.w_input, d));
                            for (int64 u = 0; u < units; ++u) {
                                check_derivative(s.start_hidden(r, u), through(0, r, s.w_hidden, u));
                                check_derivative(s.start_memory(r, u), b.memory_gradient(r, u));
                            }
                        }
                        for (int64 g = 0; g < 4; ++g)
                            for (int64 u = 0; u < units; ++u) {
                                double sum = 0;
                                for (int t = 0; t < 2; ++t)
                                    for (int64 r = 0; r < rows; ++r) sum += b.gates[t](r, s.place(g, u));
                                check_derivative(s.bias_panels[static_cast<std::size_t>(s.place(g, u))], sum);
                            }
                    }
        }
    });
}

CHECK_MAIN("cells_test")
