"""Faults of silicon that Unicorn's cores do not raise: what each instruction requires, and who holds it to that."""
