"""The kinds of trouble, one a file: its RULE says what it is called, why it hurts, what to do, and how it is found.

TE1xx are about types, TE2xx about operators, TE3xx about quantization, TE4xx about the file. A code never changes its
meaning, and is not used again.
"""
