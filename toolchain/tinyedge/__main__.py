"""The `tinyedge` program, and `python -m tinyedge`. It imports nothing of its own accord, so that Ctrl-C is heard."""

import sys


def main() -> None:
    """Run the command line; a Ctrl-C while it is still being imported ends as quietly as one later."""
    try:
        from tinyedge.cli import execute
        from tinyedge.systems import orderly_end
    except KeyboardInterrupt:
        sys.stderr.write("error: interrupted before anything was done\n\nhint: the same command starts again\n")
        sys.exit(130)
    with orderly_end():
        sys.exit(execute(sys.argv[1:]))


if __name__ == "__main__":
    main()
