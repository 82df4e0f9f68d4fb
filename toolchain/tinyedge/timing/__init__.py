"""Timing rules of cores, by mnemonic and by what follows what: asked by costs of kernels and by the emulator alike.

Kernels describe the assembler they write, the emulator decodes machine code; both as `Instruction`. Nothing here knows
how.
"""
