#!/usr/bin/env bash
# Compiles the kernels and the core for 64-bit Arm and runs the C++ tests under qemu: tools/aarch64.sh [BUILD FOLDER].
# On Debian 12:
#   apt-get install g++-aarch64-linux-gnu qemu-user cmake ninja-build
set -euo pipefail
cd "$(dirname "$0")/.."

build=${1:-build-aarch64}
cmake -S . -B "$build" -G Ninja --toolchain cmake/aarch64.cmake -DTAUTEN_PYTHON=OFF -DTAUTEN_TESTS=ON -DTAUTEN_WERROR=ON
cmake --build "$build" -- --quiet

# The product's inner loop multiplies and adds at once, in vectors.
fused=$(aarch64-linux-gnu-objdump -d --no-show-raw-insn "$build/CMakeFiles/tauten_kernels_baseline.dir/csrc/kernels/gemm.cpp.o" |
    grep -cE '\sfmla\s+v[0-9]+\.(4s|2d)' || true)
echo "fmla of whole vectors in gemm.cpp: $fused"
[ "$fused" -gt 1000 ]

# Emulated, waiting by spinning takes the processor from those who compute.
OMP_WAIT_POLICY=passive ctest --test-dir "$build" --output-on-failure --timeout 1800
