"""Tests of operators, an operator or a family a file; `kits.operators` finds what the files state:

MODELS        operator -> a random model of it (`_s16`, `_s4`: in int16, with weights of int4)
CORNERS       models that equal TensorFlow Lite Micro
REFUSALS      models that are refused, and words of the rule they break
NODES         operator -> what adds one to a random graph
LAYERS        operator -> a random layer for tests of kernels; those of MODELS need none
KERNEL_CASES  kernel -> further layers for it

A file imports no kit that finds them (`kits.operators`, `kits.random_graph`).
"""
