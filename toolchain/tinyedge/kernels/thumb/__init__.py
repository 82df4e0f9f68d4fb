"""Functions in Thumb assembler: their text, and what it costs."""
