"""`python -m fediblog` is the same program as `fediblog`."""

import sys

from fediblog.cli import main

if __name__ == "__main__":
    sys.exit(main())
