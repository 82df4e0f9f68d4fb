"""Peripherals of boards with RISC-V cores, as far as firmware of tinyedge uses them."""
