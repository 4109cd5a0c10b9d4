"""Makes `python -m ftcore` the same as `ftcore`."""

from __future__ import annotations

import sys

from ftcore.cli import main

if __name__ == "__main__":
    sys.exit(main())
