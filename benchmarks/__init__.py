"""What real models cost on a board, in one table: `python -m benchmarks --help`."""
