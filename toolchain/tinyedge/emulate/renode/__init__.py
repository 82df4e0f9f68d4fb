"""Renode: a platform made from the board file, a script, and a driver that trusts no exit status.

`platform` writes what Renode reads, `console` watches its monitor and talks to the serial line, `host` starts it.
"""
