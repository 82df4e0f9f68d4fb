"""Peripherals of Nordic's nRF52 chips, as far as firmware of tinyedge and its like uses them."""
