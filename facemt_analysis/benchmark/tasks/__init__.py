"""What benchmarks are scored on: one file per task."""
