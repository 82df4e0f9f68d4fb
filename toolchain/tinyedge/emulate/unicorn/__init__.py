"""The embedded emulator: Unicorn in a worker process, with peripherals, exact counts and modelled cycles.

`host` runs in tinyedge and starts `worker` as a process of its own; they share `config` and `frames` and talk over
pipes. Unicorn is GPL-2.0 and is imported by the worker's side alone.
"""
