"""`python -m sertf`, the same as `sertf`."""

import sys

from sertf.cli import main

if __name__ == "__main__":
    sys.exit(main())
