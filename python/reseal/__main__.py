"""`python -m reseal` is the command `reseal`."""

import sys

from reseal._cli import main

if __name__ == "__main__":
    sys.exit(main())
