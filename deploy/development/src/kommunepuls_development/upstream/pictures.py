"""Pictures of the demo town: drawn from a post's key, the same each time, and nobody's photograph."""

import io
import math
import random

from PIL import Image, ImageDraw
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

WIDTH, HEIGHT = 960, 640
_SKIES = (
    ((86, 148, 199), (228, 240, 246)),
    ((61, 90, 140), (250, 206, 160)),
    ((112, 128, 144), (224, 229, 232)),
)
_WALLS = ((171, 45, 38), (222, 178, 64), (240, 236, 226), (70, 104, 128), (52, 92, 74))


def picture_routes() -> list[Route]:
    """``/pictures/{key}.jpg``: a street by the fjord."""

    async def picture(request: Request) -> Response:
        return Response(drawn(request.path_params["key"]), media_type="image/jpeg")

    return [Route("/pictures/{key}.jpg", picture)]


def drawn(key: str) -> bytes:
    """The JPEG of a key."""
    dice = random.Random(key)
    image = Image.new("RGB", (WIDTH, HEIGHT))
    draw = ImageDraw.Draw(image)
    above, below = dice.choice(_SKIES)
    for y in range(HEIGHT):
        share = min(y / (HEIGHT * 0.6), 1.0)
        draw.line(
            [(0, y), (WIDTH, y)],
            fill=tuple(round(a + (b - a) * share) for a, b in zip(above, below, strict=True)),
        )
    for ridge, colour in enumerate(((120, 143, 150), (84, 112, 112), (58, 88, 78))):
        _hills(draw, dice, 300 + ridge * 45, 70 - ridge * 15, colour)
    draw.rectangle((0, 440, WIDTH, HEIGHT), fill=(63, 104, 128))
    for _ in range(60):
        x, y = dice.randrange(WIDTH), dice.randrange(448, HEIGHT)
        draw.line([(x, y), (x + dice.randrange(20, 90), y)], fill=(88, 131, 154), width=2)
    x = dice.randrange(10, 60)
    while x < WIDTH - 130:
        x += _house(draw, dice, x) + dice.randrange(6, 40)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=82)
    return out.getvalue()


def _hills(draw: ImageDraw.ImageDraw, dice: random.Random, base: int, rise: int, colour: tuple) -> None:
    waves = [(dice.uniform(1, 4), dice.uniform(0, math.tau), dice.uniform(0.3, 1)) for _ in range(4)]
    line = [
        (
            x,
            base
            - rise * sum(size * math.sin(x / WIDTH * math.tau * often + at) for often, at, size in waves) / 2,
        )
        for x in range(0, WIDTH + 8, 8)
    ]
    draw.polygon([*line, (WIDTH, HEIGHT), (0, HEIGHT)], fill=colour)


def _house(draw: ImageDraw.ImageDraw, dice: random.Random, x: int) -> int:
    wide, tall = dice.randrange(100, 170), dice.randrange(95, 170)
    top, wall = 470 - tall, dice.choice(_WALLS)
    draw.rectangle((x, top, x + wide, 470), fill=wall)
    draw.polygon([(x - 8, top), (x + wide / 2, top - wide * 0.42), (x + wide + 8, top)], fill=(54, 50, 50))
    for row in range(top + 20, 440, 48):
        for column in range(x + 16, x + wide - 26, 40):
            draw.rectangle(
                (column, row, column + 20, row + 26), fill=(250, 240, 205), outline=(255, 255, 255), width=2
            )
    draw.rectangle((x - 8, 468, x + wide + 8, 480), fill=(96, 88, 80))
    return wide
