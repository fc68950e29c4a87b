"""What `make bench` measures; every figure comes from a process of its own and is written to docs/benchmarks.md."""
