"""Makes the modules of made-up items and residents importable: the personaliser's own, and those of the matching."""

import sys
from pathlib import Path

_ROOT = Path(__file__).parents[3]

sys.path.insert(0, str(Path(__file__).parent / "making"))
sys.path.insert(0, str(_ROOT / "libs" / "matching" / "tests" / "making"))
