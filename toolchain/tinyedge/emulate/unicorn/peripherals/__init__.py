"""Peripherals: one class each; those of the core here, those of a chip family in a folder of their own."""
