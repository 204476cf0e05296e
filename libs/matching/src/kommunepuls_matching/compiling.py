"""Machine code of Python functions, without asking whoever installs this for a compiler.

numba brings its compiler along, and keeps what it compiled beside the module or where ``NUMBA_CACHE_DIR`` says.
Where neither can be written it compiles at each start; where numba cannot be imported, :data:`AVAILABLE` is
false and functions stay as they are.
"""

from collections.abc import Callable
from typing import Any

try:
    import numba

    AVAILABLE = True
except ImportError:
    AVAILABLE = False


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function as machine code from its first call on, without the interpreter's lock while it runs."""
    if not AVAILABLE:
        return function
    try:
        return numba.njit(function, cache=True, nogil=True)
    except RuntimeError:  # nowhere to keep it
        return numba.njit(function, nogil=True)
