"""`python -m bridge.cli` is `ws2sse`."""

import sys

from bridge.cli import main

if __name__ == "__main__":
    sys.exit(main())
