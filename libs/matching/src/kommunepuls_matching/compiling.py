"""Machine code of Python functions, without asking whoever installs this for a compiler.

numba brings its compiler along, and keeps what it compiled beside the module or where ``NUMBA_CACHE_DIR`` says.
Where neither can be written it compiles at each start; where numba cannot be imported, :data:`AVAILABLE` is
false and functions stay as they are.
"""

from collections.abc import Callable
from typing import Any

try:
    import numba
    from llvmlite import ir
    from numba.core import types
    from numba.extending import intrinsic

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


if AVAILABLE:

    @intrinsic
    def lowest_bit(_context, _word):
        """The number of the lowest bit that is set in a word of 64 bits that is not 0."""

        def generate(_target, builder, _signature, given):
            return builder.cttz(given[0], ir.Constant(ir.IntType(1), 1))

        return types.int64(types.uint64), generate

    @intrinsic
    def bit_count(_context, _word):
        """How many bits of a word of 64 are set."""

        def generate(_target, builder, _signature, given):
            return builder.ctpop(given[0])

        return types.int64(types.uint64), generate
else:

    def lowest_bit(word: int) -> int:
        """The number of the lowest bit that is set in a word of 64 bits that is not 0."""
        return (int(word) & -int(word)).bit_length() - 1

    def bit_count(word: int) -> int:
        """How many bits of a word of 64 are set."""
        return int(word).bit_count()
