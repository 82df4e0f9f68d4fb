"""From a Keras recipe to measured firmware on a microcontroller."""

__version__ = "0.1.0"
