"""`ws2sse` and `python -m bridge`: starts the command line.

Decides that Ctrl-C ends a start as quietly as it ends a command; loading takes half a second.
"""

import sys


def main() -> int:
    """Run one command; the exit status is that of `bridge.cli.main`."""
    try:
        from bridge.cli import main as run  # noqa: PLC0415 - what takes the half second

        return run()
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
