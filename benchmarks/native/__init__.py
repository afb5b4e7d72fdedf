"""The C++ benchmarks (csrc/bench): built, run and reported by one command."""
