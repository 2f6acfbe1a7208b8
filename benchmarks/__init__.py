"""Measurements: `python -m benchmarks [name…] [--quick] [--save FILE]`. What they mean: docs/performance.md."""
