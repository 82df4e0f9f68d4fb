"""`python -m tinyedge`."""

from tinyedge.cli import main

main()
