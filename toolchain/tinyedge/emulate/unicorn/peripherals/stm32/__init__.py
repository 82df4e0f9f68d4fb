"""Peripherals of ST's STM32 chips, as far as firmware of tinyedge uses them."""
