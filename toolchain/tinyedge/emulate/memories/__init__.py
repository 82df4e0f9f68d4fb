"""Memories: what a core's reads of flash cost, by small caches in front of it and constants found on silicon."""
