"""What goes wrong with area knowledge: always one sentence that names the culprit."""


class GeographyError(ValueError):
    """Area knowledge, a register or a position that cannot be used; the message is for an operator."""


class AreaError(GeographyError):
    """An area file or hierarchy that cannot be used: unknown parent, cycle, wrong projection and the like."""
