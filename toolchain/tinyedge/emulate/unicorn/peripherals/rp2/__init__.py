"""Peripherals of Raspberry Pi's RP2040 and RP2350, as far as firmware of tinyedge uses them."""
