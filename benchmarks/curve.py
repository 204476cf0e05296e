"""A curve as a small SVG picture, both axes logarithmic."""

import math

_WIDTH, _HEIGHT, _LEFT, _TOP, _RIGHT, _BOTTOM = 740, 420, 70, 40, 50, 50
_COLOURS = ("#0b6e4f", "#c1462c", "#2a5db0", "#8a6d00", "#7a3e9d")


def svg(title: str, across: str, up: str, curves: dict[str, list[tuple[float, float]]]) -> str:
    """The picture; ``curves`` are named lists of (x, y), all above 0."""
    points = [point for curve in curves.values() for point in curve]
    left, right = (f(math.log10(x) for x, _ in points) for f in (min, max))
    low, high = math.floor(min(math.log10(y) for _, y in points)), math.ceil(
        max(math.log10(y) for _, y in points) + 1e-9
    )  # fmt: skip
    right = right if right > left else left + 1

    def at(x: float, y: float) -> tuple[float, float]:
        return (
            _LEFT + (math.log10(x) - left) / (right - left) * (_WIDTH - _LEFT - _RIGHT),
            _HEIGHT - _BOTTOM - (math.log10(y) - low) / (high - low) * (_HEIGHT - _TOP - _BOTTOM),
        )

    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'font-family="sans-serif" font-size="13" role="img"><title>{title}</title>',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        f'<text x="{_LEFT}" y="24" font-size="16">{title}</text>',
        f'<text x="{_WIDTH / 2}" y="{_HEIGHT - 8}" text-anchor="middle">{across}</text>',
        f'<text x="16" y="{_HEIGHT / 2}" text-anchor="middle" transform="rotate(-90 16 {_HEIGHT / 2})">{up}</text>',
    ]
    for power in range(low, high + 1):
        _, y = at(10**left, 10.0**power)
        lines.append(f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}" stroke="#ddd"/>')
        lines.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{10.0**power:g}</text>')
    for x in sorted({x for x, _ in points}):
        position, _ = at(x, 10.0**low)
        lines.append(
            f'<text x="{position:.1f}" y="{_HEIGHT - _BOTTOM + 18}" text-anchor="middle">{x:,.0f}</text>'
        )
    for number, (name, curve) in enumerate(curves.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in (at(*point) for point in curve))
        lines.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        lines += [
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>'
            for x, y in (at(*point) for point in curve)
        ]
        lines.append(
            f'<text x="{_WIDTH - _RIGHT}" y="{_TOP + 16 * number}" text-anchor="end" fill="{colour}">{name}</text>'
        )
    return "\n".join([*lines, "</svg>", ""])
