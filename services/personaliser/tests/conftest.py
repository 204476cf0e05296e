"""Makes the module of made-up items and residents importable for all tests of the personaliser."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "making"))
