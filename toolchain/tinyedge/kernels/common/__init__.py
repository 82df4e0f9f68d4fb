"""What the kernels of several cores share: bounds of sums, in-place offsets, layouts, texts of C, and their checks."""
