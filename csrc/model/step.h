// One native call: four phases in one parallel region (docs/design.md, 3).
#pragma once

#include <algorithm>
#include <atomic>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "core/team.h"
#include "model/workspace.h"

namespace tauten {

// Values of a few samples that neighbouring local nodes keep in the cache.
inline constexpr int64 cached_bytes = 384 << 10;
// Rows a thread, at most, of a call that waits for its weights, and bytes of weights that stay in a core's cache.
inline constexpr int64 few_rows = 8, cached_weights = 256 << 10;

// FLOPs of a pass, about: a call looks between passes whether it is interrupted.
inline constexpr double flops_a_pass = 4e9;
// FLOPs of a call that is worth watching: some hundred microseconds.
inline constexpr double watched_flops = 5e7;

// f(slice) for a few rows at a time; bytes: of one row, 0: not more than `most` rows at once.
template <class F>
void in_passes(Slice slice, int64 bytes, int64 most, F&& f) {
    const int64 rows = bytes > 0 ? std::max<int64>(1, cached_bytes / bytes) : std::max<int64>(1, most);
    for (int64 r = slice.begin; r < slice.end; r += rows) f(Slice{r, std::min(slice.end, r + rows)});
}

// loss: the outputs' losses times their weights, and the penalty. Metrics stand output after output.
struct StepResult {
    double loss = 0, penalty = 0;
    int64 samples = 0;
    struct Head {
        double loss = 0, weight = 1;
        int64 rows = 0;
        int metric_count = 0;
    };
    int head_count = 0;
    Head heads[most_outputs];
    double metrics[most_metrics] = {};

    // Of an output whose loss is computed outside.
    void add_loss(size_t head, double value) {
        heads[head].loss += value;
        loss += heads[head].weight * value;
    }
};

// A step's phases: all; forward alone; or backward and what follows it, of a step that went forward.
enum class Half { both, forward, backward };

template <class T>
class Step {
public:
    // Checks the request and lays out memory; throws std::invalid_argument.
    Step(Network<T>& network, const Objective& objective, Workspace<T>& work, const Request<T>& request, uint64 number);
    ~Step();  // the workspace's call is whole without it
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;

    const std::vector<T*>* outputs = nullptr;          // where predictions go, one an output
    const std::vector<Outside<T>>* outside = nullptr;  // losses computed outside, for Half::backward
    const std::vector<T*>* input_gradients = nullptr;  // where ∂E/∂x goes

    // Whether copies of weights that a prediction reads are out of date. A call that has the weights to itself makes
    // them anew, if told to before run().
    bool stale() const;
    void refresh();

    // Runs the region. Throws std::invalid_argument for tokens and labels out of range, NonFiniteError and Interrupted;
    // weights are unchanged then. Weights, and what is kept of them, must be the same in both halves.
    void run(Half half = Half::both);
    // State that a training step moves, and versions of the weights that it changed.
    void update_state();
    // The penalties' share of the stored gradients: 2·l2·w + l1·sign(w).
    void add_penalties();
    StepResult result() const;

private:
    void check_targets(size_t h) const;
    const Source* sample_weight(size_t h) const;
    void plan_phases();
    void begin_phases();
    void measure();
    int64 rows_a_pass(const Node<T>& node) const;
    void add_reuses(Parameter<T>& parameter, int64 offset) const;
    bool changes_weights() const;
    void plan_update();
    void start_slots(Parameter<T>& parameter) const;
    bool find_scales();
    double work_flops() const { return work_.effort.flops * (request_.backward ? 3 : 1); }  // of the whole call, about
    int team_size();
    void run_members(int team);
    Slice deal(int64 index, int64 count) const;

    void member(const Member& member);
    bool update_stored(const Member& member, T* scratch);
    void pass(const Member& member, Slice slice, T* scratch);
    void pass_in_parts(const Member& member, Slice slice, T* scratch);
    void finish_forward(Slice slice);
    void clear_ignored(Slice slice) const;
    void gather_rows(Slice slice);
    void gather_targets(size_t h, Slice slice);
    void read_states(Slice slice) const;
    void write_states(Slice slice) const;
    void gather_checked(const Source& source, Slice slice, const Grid& grid, int64 limit, int32* to, const char* what,
                        const std::string& name);
    void forward(const Member& member, Slice slice, T* scratch) const;
    void score(size_t h, Slice slice);
    void read_gradients(Slice slice) const;
    void backward(const Member& member, Slice slice, T* scratch) const;
    template <class F>
    void for_each_output(size_t h, Slice slice, F&& f) const;
    void write_outputs(size_t h, Slice slice) const;
    void write_input_gradients(Slice slice) const;
    void write_input_gradient(int input, Slice slice) const;

    Network<T>& network_;
    const Objective& objective_;
    Workspace<T>& work_;
    const Request<T>& request_;
    const Call<T>& call_;
    const kernels::Kernels<T>& k_;
    const int threads_ = threads();  // scratch memory is made for as many, whatever is set meanwhile
    Half half_ = Half::both;
    double penalty_ = 0;
    bool crowded_out_ = false;   // it goes alone, though a team would be worth it
    bool in_parts_ = false;      // there are fewer rows than threads
    int64 slices_ = 1;           // that members claim

    const Stop stop_{Watch::current() != nullptr};
    std::atomic<bool> failed_{false};
    std::atomic<const Parameter<T>*> not_finite_{nullptr};
    std::atomic<const Place*> trouble_{nullptr};
    bool norm_failed_ = false;
    Sink<T> sink_;
    std::mutex bad_guard_;
    OutOfRange bad_;
    std::string bad_text_;
    int64 bad_limit_ = 0;
};

}  // namespace tauten
