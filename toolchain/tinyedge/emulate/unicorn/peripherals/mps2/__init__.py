"""Peripherals of Arm's MPS2 boards: those of the Cortex-M System Design Kit."""
