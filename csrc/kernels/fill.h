// What each kernel file exports, once per level: functions that enter its kernels into a table.
//
// A kernel file includes this header and defines, for its own family,
//   namespace tauten::kernels::TAUTEN_LEVEL {
//   void fill_x(Kernels<float>& k) { ... }
//   void fill_x(Kernels<double>& k) { ... }
//   }
// table.cpp, compiled for no level in particular, calls them all.
#pragma once

#include "kernels/table.h"

#define TAUTEN_DECLARE_FILL(family) \
    void family(Kernels<float>&);   \
    void family(Kernels<double>&);

#define TAUTEN_DECLARE_LEVEL(level)                                                               \
    namespace level {                                                                             \
    TAUTEN_DECLARE_FILL(fill_gemm)        /* gemm.cpp: gemm, fma_peak, lanes, panel, tile */      \
    TAUTEN_DECLARE_FILL(fill_pack)        /* pack.cpp: pack_transposed */                         \
    TAUTEN_DECLARE_FILL(fill_lstm)        /* lstm.cpp: lstm_forward, lstm_backward */             \
    TAUTEN_DECLARE_FILL(fill_forget_gate) /* forget_gate.cpp: forget_gate_forward, .._backward */ \
    TAUTEN_DECLARE_FILL(fill_gru)         /* gru.cpp: gru_forward, gru_backward */                \
    TAUTEN_DECLARE_FILL(fill_elementwise) /* elementwise.cpp: activate .. dropout, column_.., add */ \
    TAUTEN_DECLARE_FILL(fill_pointwise)   /* pointwise.cpp: pointwise, prelu */                   \
    TAUTEN_DECLARE_FILL(fill_combination) /* combination.cpp: combine, scale, claim */            \
    TAUTEN_DECLARE_FILL(fill_normalization) /* normalization.cpp: column_moments .. layer_norm_sums */ \
    TAUTEN_DECLARE_FILL(fill_depthwise)   /* depthwise.cpp */                                     \
    TAUTEN_DECLARE_FILL(fill_pooling)     /* pooling.cpp */                                       \
    TAUTEN_DECLARE_FILL(fill_aggregation) /* aggregation.cpp: aggregate_sum .. dot */             \
    TAUTEN_DECLARE_FILL(fill_losses)      /* losses.cpp */                                        \
    TAUTEN_DECLARE_FILL(fill_updates)     /* updates.cpp: sgd, penalty_sums, all_finite */        \
    TAUTEN_DECLARE_FILL(fill_winograd)    /* winograd.cpp */                                      \
    TAUTEN_DECLARE_FILL(fill_math)        /* math_probe.cpp: exp, log, tanh, sigmoid */           \
    /* the same function as Kernels::gemm, for cells of the same level */                         \
    void gemm(const GemmArguments<float>&);                                                       \
    void gemm(const GemmArguments<double>&);                                                      \
    }

namespace tauten::kernels {

#ifdef TAUTEN_LEVEL
TAUTEN_DECLARE_LEVEL(TAUTEN_LEVEL)
#else
TAUTEN_DECLARE_LEVEL(baseline)
TAUTEN_DECLARE_LEVEL(avx2)
TAUTEN_DECLARE_LEVEL(avx512)
#endif

}  // namespace tauten::kernels
