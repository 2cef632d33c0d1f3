"""``python -m proofs_check`` is the command ``scorecert``."""

import sys

from proofs_check.cli import main

if __name__ == "__main__":
    sys.exit(main())
