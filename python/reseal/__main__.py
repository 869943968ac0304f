"""`python -m reseal` is the command `reseal`."""

import sys

from reseal._cli import main

sys.exit(main())
