// The batch-reduced product at every level against a naive product in double.
//
// Everything around the operands is NaN, everything around C is a canary: a stray read shows in the result (or is
// masked, as it must be), a stray write in the canary.
#include "check.h"
#include "kernels/table.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <sstream>
#include <string>
#include <vector>

using namespace tauten;
using namespace tauten::kernels;

namespace {

constexpr Level levels[] = {Level::baseline, Level::avx2, Level::avx512};
constexpr Activation activations[] = {Activation::linear, Activation::relu, Activation::tanh, Activation::sigmoid,
                                      Activation::hard_sigmoid};

std::minstd_rand generator(1);
int64 below(int64 n) { return static_cast<int64>(generator() >> 4) % n; }
template <class T>
T random_value() {
    return static_cast<T>(static_cast<int>(generator() >> 8) % 4001 - 2000) / static_cast<T>(1000);
}
template <class T>
std::vector<T> poisoned(int64 n) {
    return std::vector<T>(static_cast<std::size_t>(n + slack), std::numeric_limits<T>::quiet_NaN());
}

// One case: which layout each operand has.
struct Case {
    int64 rows, columns;
    std::vector<int64> k;  // per tap
    bool transposed = false;      // a_row == 1
    bool packed = true;           // B in panels, or where it lies
    bool wide = false;            // panel_width 4 * lanes
    bool panel_c = false;         // C in panels
    int start = 0;                // 0 zeros, 1 bias, 2 C
    bool derivative = false;      // epilogue: C ⊙ f'(outputs)
    Activation activation = Activation::linear;
    int64 shift = 0;              // elements by which every operand is misaligned
    int64 pad = 0;                // elements between rows
};

std::string describe(const Case& s, const char* level, const char* type) {
    std::ostringstream text;
    text << level << " " << type << " " << s.rows << "x" << s.columns << " k";
    for (const int64 k : s.k) text << " " << k;
    text << (s.transposed ? " a_row=1" : " a_column=1") << (s.packed ? " packed" : " in place")
         << (s.wide ? " wide" : "") << (s.panel_c ? " panel C" : "") << " start " << s.start
         << (s.derivative ? " f'" : " f") << static_cast<int>(s.activation) << " shift " << s.shift << " pad " << s.pad;
    return text.str();
}

// The operands of a case, and its value by the plain triple loop.
template <class T>
struct Operands {
    Case s;
    int64 width, panels, c_row, c_panel, outputs_row;
    std::vector<std::vector<T>> a, b;
    std::vector<Tap<T>> taps;
    std::vector<T> bias, outputs, start;  // start: C before
    std::vector<double> expected, tolerance;  // rows x columns

    int64 c_index(int64 m, int64 n) const { return s.shift + n / width * c_panel + m * c_row + n % width; }
    int64 c_size() const { return s.shift + (s.panel_c ? panels * c_panel : s.rows * c_row) + 8; }

    Operands(const Kernels<T>& kernels, const Case& the_case) : s(the_case) {
        width = s.wide ? 4 * kernels.lanes : kernels.panel;
        panels = (s.columns + width - 1) / width;
        const int64 padded = panels * width;
        c_row = s.panel_c ? width + s.pad : s.columns + s.pad;
        c_panel = s.panel_c ? s.rows * c_row + s.pad : width;
        outputs_row = s.columns + s.pad;

        bias = poisoned<T>(s.shift + padded);
        for (int64 n = 0; n < padded; ++n) bias[s.shift + n] = n < s.columns ? random_value<T>() : 0;
        outputs = poisoned<T>(s.shift + s.rows * outputs_row);
        for (int64 m = 0; m < s.rows; ++m)
            for (int64 n = 0; n < s.columns; ++n)
                outputs[s.shift + m * outputs_row + n] = random_value<T>() / 2;
        start.assign(static_cast<std::size_t>(c_size()), static_cast<T>(-12345.5));  // the canary
        for (int64 m = 0; m < s.rows; ++m)
            for (int64 n = 0; n < s.columns; ++n) start[c_index(m, n)] = random_value<T>();

        std::vector<double> sum(s.rows * s.columns), magnitude(s.rows * s.columns);
        for (int64 m = 0; m < s.rows; ++m)
            for (int64 n = 0; n < s.columns; ++n) {
                const double first = s.start == 0 ? 0 : s.start == 1 ? bias[s.shift + n] : start[c_index(m, n)];
                sum[m * s.columns + n] = first;
                magnitude[m * s.columns + n] = std::fabs(first);
            }
        int64 terms = 1;
        for (const int64 k : s.k) {
            terms += k;
            Tap<T> tap{};
            tap.k = k;
            tap.a_row = s.transposed ? 1 : k + s.pad;
            tap.a_column = s.transposed ? s.rows + s.pad : 1;
            tap.b_row = s.packed ? width : padded + s.pad;
            tap.b_panel = s.packed ? k * width + s.pad : width;
            a.push_back(poisoned<T>(s.shift + (s.transposed ? k * tap.a_column : s.rows * tap.a_row)));
            b.push_back(poisoned<T>(s.shift + (s.packed ? panels * tap.b_panel : k * tap.b_row)));
            T* pa = a.back().data() + s.shift;
            T* pb = b.back().data() + s.shift;
            for (int64 m = 0; m < s.rows; ++m)
                for (int64 i = 0; i < k; ++i) pa[m * tap.a_row + i * tap.a_column] = random_value<T>();
            for (int64 i = 0; i < k; ++i)
                for (int64 n = 0; n < s.columns; ++n)
                    pb[n / width * tap.b_panel + i * tap.b_row + n % width] = random_value<T>();
            tap.a = pa;
            tap.b = pb;
            for (int64 m = 0; m < s.rows; ++m)
                for (int64 i = 0; i < k; ++i) {
                    const double x = pa[m * tap.a_row + i * tap.a_column];
                    for (int64 n = 0; n < s.columns; ++n) {
                        const double y = x * pb[n / width * tap.b_panel + i * tap.b_row + n % width];
                        sum[m * s.columns + n] += y;
                        magnitude[m * s.columns + n] += std::fabs(y);
                    }
                }
            taps.push_back(tap);
        }
        const double eps = std::numeric_limits<T>::epsilon();
        expected.resize(s.rows * s.columns);
        tolerance.resize(s.rows * s.columns);
        for (int64 m = 0; m < s.rows; ++m)
            for (int64 n = 0; n < s.columns; ++n) {
                const double net = sum[m * s.columns + n];
                const double y = outputs[s.shift + m * outputs_row + n];
                double value = net, slope = 1;
                switch (s.activation) {
                    case Activation::relu: value = net > 0 ? net : 0; slope = y > 0 ? 1 : 0; break;
                    case Activation::tanh: value = std::tanh(net); slope = 1 - y * y; break;
                    case Activation::sigmoid: value = 1 / (1 + std::exp(-net)); slope = y * (1 - y); break;
                    case Activation::hard_sigmoid:  // for all of the cells' alone, which go one way
                        value = std::fmin(1, std::fmax(0, net / 6 + 0.5));
                        slope = y > 0 && y < 1 ? 1.0 / 6 : 0;
                        break;
                    default: break;
                }
                if (s.derivative) value = net * slope;
                expected[m * s.columns + n] = value;
                // |f'| <= 1; a term rounds by eps / 2, twice where no fma is; f and f' err by 2 or 3 units
                tolerance[m * s.columns + n] =
                    eps * (static_cast<double>(terms) * magnitude[m * s.columns + n] + 4 * std::fabs(value));
                if (s.derivative) tolerance[m * s.columns + n] += 4 * eps * std::fabs(net * (1 - slope));
            }
    }

    // The call for rows from m to m_end and columns from n (a multiple of the width) to n_end.
    GemmArguments<T> part(std::vector<Tap<T>>& local, T* c, int64 m, int64 m_end, int64 n, int64 n_end) const {
        local = taps;
        const int64 panel = n / width;
        for (Tap<T>& tap : local) {
            tap.a += m * tap.a_row;
            tap.b += panel * tap.b_panel;
        }
        GemmArguments<T> g{};
        g.taps = local.data();
        g.tap_count = static_cast<int64>(local.size());
        g.rows = m_end - m;
        g.columns = n_end - n;
        g.panel_width = width;
        g.c = c + s.shift + panel * c_panel + m * c_row;
        g.c_row = c_row;
        g.c_panel = c_panel;
        g.bias = s.start == 1 ? bias.data() + s.shift + n : nullptr;
        g.accumulate = s.start == 2;
        g.activation = s.activation;
        g.outputs = s.derivative ? outputs.data() + s.shift + m * outputs_row + n : nullptr;
        g.outputs_row = outputs_row;
        return g;
    }
    std::vector<T> whole(const Kernels<T>& kernels) const {
        std::vector<T> c = start;
        std::vector<Tap<T>> local;
        kernels.gemm(part(local, c.data(), 0, s.rows, 0, s.columns));
        return c;
    }
};

template <class T>
const char* type_name() {
    return sizeof(T) == 4 ? "float" : "double";
}

template <class T>
void check_case(const Kernels<T>& kernels, const char* level, const Case& s) {
    const Operands<T> o(kernels, s);
    std::vector<T> c = o.whole(kernels);
    int64 worst = -1;
    double excess = 0;
    for (int64 m = 0; m < s.rows; ++m)
        for (int64 n = 0; n < s.columns; ++n) {
            const int64 i = m * s.columns + n;
            T& value = c[o.c_index(m, n)];
            const double error = std::fabs(static_cast<double>(value) - o.expected[i]);
            if (!(error - o.tolerance[i] <= excess)) {
                excess = error - o.tolerance[i];
                worst = i;
            }
            value = o.start[o.c_index(m, n)];
        }
    // what is not C's is as it was
    const bool clean = check::same_bits(c.data(), o.start.data(), o.c_size());
    const bool ok = clean && worst < 0;
    if (!ok) check::state().context = describe(s, level, type_name<T>());
    CHECK(clean);
    if (worst >= 0)
        check::state().context += " element " + std::to_string(worst / s.columns) + "," +
                                  std::to_string(worst % s.columns) + " off by " + std::to_string(excess);
    CHECK(worst < 0);
}

template <class T>
void check_level(Level l) {
    if (!level_available(l)) return;
    const Kernels<T>& kernels = table<T>(l);
    const int64 ks[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 64};
    // every extent, at either variant; the other choices take turns with co-prime periods
    int64 turn = 0;
    for (int64 rows = 1; rows <= 2 * kernels.tile + 1; ++rows)
        for (int64 columns = 1; columns <= 2 * kernels.panel + 1; ++columns)
            for (const int64 k : ks)
                for (const bool transposed : {false, true}) {
                    ++turn;
                    Case s;
                    s.rows = rows;
                    s.columns = columns;
                    s.transposed = transposed;
                    s.k.push_back(k);
                    for (int64 t = below(3); t > 0; --t) s.k.push_back(ks[below(10)]);
                    const int64 pick = below(2 * 2 * 2 * 3 * 2 * 5);
                    s.packed = pick % 2;
                    s.wide = pick / 2 % 2;
                    s.panel_c = pick / 4 % 2;
                    s.start = static_cast<int>(pick / 8 % 3);
                    s.derivative = pick / 24 % 2;
                    s.activation = activations[pick / 48];
                    s.shift = turn % 5;
                    s.pad = turn % 7 < 3 ? 0 : turn % 7;
                    check_case<T>(kernels, level_name(l), s);
                }
    // every combination of the choices, on a shape with every kind of tail
    for (int64 pick = 0; pick < 2 * 2 * 2 * 3 * 2 * 5 * 2 * 3; ++pick) {
        Case s;
        s.rows = kernels.tile + 3;
        s.columns = 4 * kernels.lanes + kernels.panel + kernels.lanes / 2 + 1;
        s.packed = pick % 2;
        s.wide = pick / 2 % 2;
        s.panel_c = pick / 4 % 2;
        s.start = static_cast<int>(pick / 8 % 3);
        s.derivative = pick / 24 % 2;
        s.activation = activations[pick / 48 % 5];
        s.transposed = pick / 240 % 2;
        s.k.assign(static_cast<std::size_t>(1 + pick / 480), 13);
        s.shift = pick % 3;
        s.pad = pick % 4;
        check_case<T>(kernels, level_name(l), s);
    }
    // large extents: K in blocks (packed or not), rows in groups, copied panels, each with a ragged last panel
    for (const bool transposed : {false, true})
        for (const bool packed : {false, true})
            for (int start = 0; start < 3; ++start) {
                Case s;
                s.rows = std::max<int64>(70, 9 * kernels.tile + 3);
                s.columns = std::max<int64>(72 + 3, 3 * kernels.panel + 3);
                for (const int64 k : {1500, 0, 633, 7}) s.k.push_back(k);
                s.transposed = transposed;
                s.packed = packed;
                s.start = start;
                s.wide = start == 1;
                s.activation = start == 2 ? Activation::linear : Activation::relu;
                check_case<T>(kernels, level_name(l), s);
                s.activation = start == 2 ? Activation::sigmoid : Activation::tanh;
                s.derivative = true;
                s.columns = kernels.panel + 3;
                s.rows = 2000 + 3;
                s.k.assign(1, 150);
                check_case<T>(kernels, level_name(l), s);
                s.rows = 5;
                s.k.assign(75, 3);  // more taps than a block takes
                check_case<T>(kernels, level_name(l), s);
            }
}

// A product cut by rows and by columns, as threads would share it out, gives the same bits as one call.
template <class T>
void check_bits(Level l) {
    if (!level_available(l)) return;
    const Kernels<T>& kernels = table<T>(l);
    std::vector<Tap<T>> local;
    for (int variant = 0; variant < 60; ++variant) {
        Case s;
        s.rows = variant % 3 == 0 ? 3 * kernels.tile + 1 : variant % 3 == 1 ? kernels.tile - 1 : 33;
        s.transposed = variant / 3 % 2;
        s.packed = variant / 6 % 2;
        s.start = variant % 3;
        s.activation = activations[variant / 12];
        s.derivative = variant % 5 == 0;
        s.wide = variant % 7 == 0;
        s.columns = 3 * kernels.panel + (variant % 2 == 0 ? 5 : kernels.lanes + 1);
        for (const int64 k : {37, 1100, 900, 700}) {
            if (k == 37 || variant % 4 == 3) s.k.push_back(k);
        }
        s.shift = variant % 4;
        const Operands<T> o(kernels, s);
        const std::vector<T> whole = o.whole(kernels);
        check::state().context = describe(s, level_name(l), type_name<T>());
        const auto compare = [&](const std::vector<int64>& m_cuts, const std::vector<int64>& n_cuts) {
            std::vector<T> c = o.start;
            for (std::size_t i = 0; i + 1 < m_cuts.size(); ++i)
                for (std::size_t j = 0; j + 1 < n_cuts.size(); ++j)
                    kernels.gemm(o.part(local, c.data(), m_cuts[i], m_cuts[i + 1], n_cuts[j], n_cuts[j + 1]));
            CHECK(check::same_bits(c.data(), whole.data(), o.c_size()));
        };
        std::vector<int64> n_all{0};
        for (int64 n = o.width; n < s.columns; n += o.width) n_all.push_back(n);
        n_all.push_back(s.columns);
        std::vector<int64> m_all;
        for (int64 m = 0; m <= s.rows; ++m) m_all.push_back(m);
        for (int64 m = 1; m < s.rows; ++m) compare({0, m, s.rows}, {0, s.columns});
        for (int64 parts = 2; parts <= 8; ++parts) {
            std::vector<int64> cuts;
            for (int64 i = 0; i <= parts; ++i) cuts.push_back(s.rows * i / parts);
            compare(cuts, {0, s.columns});
            compare(cuts, n_all);
        }
        compare(m_all, {0, s.columns});
        compare({0, s.rows}, n_all);
        compare(m_all, n_all);
    }
    // the variants and layouts agree with each other too
    for (int layout = 1; layout < 8; ++layout) {
        Case s;
        s.rows = 2 * kernels.tile + 5;
        s.columns = 2 * kernels.panel + kernels.lanes + 3;
        s.k.assign(1, 67);
        const auto run = [&](bool transposed, bool packed, bool wide) {
            Case v = s;
            v.transposed = transposed;
            v.packed = packed;
            v.wide = wide;
            generator.seed(7);  // the operands are drawn in the same order, whatever the layout
            const Operands<T> o(kernels, v);
            const std::vector<T> c = o.whole(kernels);
            std::vector<T> dense;
            for (int64 m = 0; m < s.rows; ++m)
                for (int64 n = 0; n < s.columns; ++n) dense.push_back(c[o.c_index(m, n)]);
            return dense;
        };
        const auto plain = run(false, true, false), other = run(layout & 1, layout & 2, layout & 4);
        check::state().context = std::string(level_name(l)) + " layout " + std::to_string(layout);
        // `wide` draws the padded bias and nothing else differently: the bias is zero-filled without drawing
        CHECK(check::same_bits(plain.data(), other.data(), static_cast<long>(plain.size())));
    }
}

// Rows of A in groups: the bits of the groups one by one.
template <class T>
void check_groups(Level l) {
    if (!level_available(l)) return;
    const Kernels<T>& kernels = table<T>(l);
    const int64 a_column = 21, b_row = kernels.panel + 3;
    for (int64 rows = 1; 2 * rows <= kernels.tile; ++rows)
        for (int64 groups = 1; groups <= 9; ++groups)
            for (const int64 columns : {kernels.panel, kernels.lanes, kernels.lanes + 1, kernels.panel + 2})
                for (const bool accumulate : {false, true}) {
                    const int64 a_group = groups % 2 ? rows + 2 : 40;
                    std::vector<T> a(static_cast<std::size_t>(groups * a_group + 64 * a_column)), b(3 * 64 * static_cast<std::size_t>(b_row));
                    for (T& x : a) x = random_value<T>();
                    for (T& x : b) x = random_value<T>();
                    const int64 panel = groups * rows * kernels.panel;
                    std::vector<T> whole(static_cast<std::size_t>(2 * panel));
                    for (T& x : whole) x = random_value<T>();
                    std::vector<T> single = whole;
                    const auto run = [&](std::vector<T>& c, int64 first, int64 count) {
                        const T* from = a.data() + first * a_group;
                        const int64 b_panel = 64 * b_row;
                        const Tap<T> taps[] = {{from, b.data(), 1, a_column, b_row, b_panel, 37},
                                               {from + 38 * a_column, b.data() + 40 * b_row, 1, a_column, b_row, b_panel, 6}};
                        kernels.gemm({taps, 2, count * rows, columns, kernels.panel, c.data() + first * rows * kernels.panel,
                                      kernels.panel, panel, nullptr, accumulate, Activation::linear, nullptr, 0,
                                      count > 1 ? rows : 0, a_group});
                    };
                    run(whole, 0, groups);
                    for (int64 g = 0; g < groups; ++g) run(single, g, 1);
                    check::state().context = std::string(level_name(l)) + " " + std::to_string(groups) + " groups of " +
                                             std::to_string(rows) + ", " + std::to_string(columns) + " columns";
                    CHECK(check::same_bits(whole.data(), single.data(), static_cast<long>(whole.size())));
                }
}

template <class T>
void check_corners(Level l) {
    if (!level_available(l)) return;
    const Kernels<T>& kernels = table<T>(l);
    check::state().context = std::string(level_name(l)) + " " + type_name<T>();
    T c[4] = {1, 2, 3, 4};
    GemmArguments<T> g{};
    g.panel_width = kernels.panel;
    g.c = c;
    g.c_row = 2;
    g.c_panel = kernels.panel;
    kernels.gemm(g);  // no rows, no columns: nothing
    g.rows = 2;
    kernels.gemm(g);
    g.rows = 0;
    g.columns = 2;
    kernels.gemm(g);
    CHECK(c[0] == 1 && c[1] == 2 && c[2] == 3 && c[3] == 4);
    g.rows = 2;
    g.accumulate = true;
    g.activation = Activation::relu;
    c[1] = -2;
    kernels.gemm(g);  // no taps: f(C)
    CHECK(c[0] == 1 && c[1] == 0 && c[2] == 3 && c[3] == 4);
    g.accumulate = false;
    kernels.gemm(g);  // no taps, no start: f(0)
    CHECK(c[0] == 0 && c[1] == 0 && c[2] == 0 && c[3] == 0);

    // A poisoned value stays visible behind every epilogue.
    for (const Activation f : activations)
        for (const bool derivative : {false, true})
            for (const int64 columns : {int64{1}, kernels.lanes, kernels.panel, kernels.panel + 1}) {
                std::vector<T> b = poisoned<T>(2 * kernels.panel), a = poisoned<T>(1);
                std::vector<T> out(static_cast<std::size_t>(2 * kernels.panel + slack)), y = out;
                a[0] = 1;
                const Tap<T> tap{a.data(), b.data(), 1, 1, kernels.panel, kernels.panel, 1};
                GemmArguments<T> p{};
                p.taps = &tap;
                p.tap_count = 1;
                p.rows = 1;
                p.columns = columns;
                p.panel_width = kernels.panel;
                p.c = out.data();
                p.c_row = p.c_panel = kernels.panel;
                p.activation = f;
                p.outputs = derivative ? y.data() : nullptr;
                kernels.gemm(p);
                bool all = true;
                for (int64 n = 0; n < columns; ++n) all = all && std::isnan(out[n]);
                CHECK(all);
            }
}

}  // namespace

TEST(products) {
    for (const Level l : levels) {
        check_level<float>(l);
        check_level<double>(l);
    }
}
TEST(same_bits_however_cut) {
    for (const Level l : levels) {
        check_bits<float>(l);
        check_bits<double>(l);
    }
}
TEST(rows_in_groups) {
    for (const Level l : levels) {
        check_groups<float>(l);
        check_groups<double>(l);
    }
}
TEST(corners) {
    for (const Level l : levels) {
        check_corners<float>(l);
        check_corners<double>(l);
    }
}

CHECK_MAIN("gemm_test")
