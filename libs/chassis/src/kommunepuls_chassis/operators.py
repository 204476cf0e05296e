"""Operators' bearer tokens: ``name:token``, comma separated; the name goes to the log, the token never."""

import hmac

SHORTEST_TOKEN = 16


def parse_operator_tokens(text: str) -> dict[str, str]:
    """Tokens by the operator's name; empty text gives none.

    Raises:
        ValueError: saying what is expected.
    """
    tokens = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, token = part.partition(":")
        if not name or len(token) < SHORTEST_TOKEN:
            raise ValueError(
                f"is name:token, comma separated, each token of {SHORTEST_TOKEN} characters or more"
            )
        tokens[name] = token
    return tokens


def operator_of(authorization: str, tokens: dict[str, str]) -> str | None:
    """Whose token an ``Authorization: Bearer`` header carries, None if nobody's; compared in constant time."""
    scheme, _, offered = authorization.partition(" ")
    found = None
    for name, token in tokens.items():
        if scheme.lower() == "bearer" and hmac.compare_digest(offered.strip().encode(), token.encode()):
            found = name
    return found
