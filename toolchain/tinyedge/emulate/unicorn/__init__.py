"""The embedded emulator: Unicorn in a worker process, with peripherals, exact counts and modelled cycles.

`host` runs in tinyedge and starts `worker` as a process of its own; they share `config` and `frames` and talk over
pipes. Unicorn is GPL-2.0 and is imported by the worker's side alone.

Licence of the worker's side (`worker`, what it imports of this package, and native/*.c, which is loaded beside Unicorn
into one process): Apache-2.0 as all of tinyedge, which ships no part of Unicorn. Who distributes the worker and
Unicorn together as one work has to keep Unicorn's licence for that work; the process of `tinyedge` itself, which loads
neither, and every firmware stay out of it.
"""
