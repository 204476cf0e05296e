"""A few hundred residents of the demo town, made up from its addresses, each with choices of their own."""

import asyncio
import random
from collections.abc import Callable

import httpx

from kommunepuls_development.town import Address, read_addresses

INTERESTS = (
    "winter-maintenance", "roads-and-traffic", "building-permits", "water-and-sewage", "power", "bathing",
    "weather-warnings", "schools", "culture", "music", "sports", "football", "volunteering", "municipal-news",
)  # fmt: skip
ORGANISERS = ("NO-9901/fjordvik-fotball", "NO-9901/kommune", "NO-9901/plan-og-bygg")
BATHING_SENSORS = ("NO-9901/badetemperatur/bad-storoya", "NO-9901/badetemperatur-mqtt/bad-strandby")
LANGUAGES = ("nb",) * 7 + ("nn", "nn", "sv", "en")
AT_ONCE = 8


def resident(number: int, addresses: list[Address]) -> dict:
    """What a resident chose: home at an address, perhaps a cabin, areas, interests, organisers, sensors."""
    dice = random.Random(number)
    home = dice.choice(addresses)
    places = [_place("home", "Hjemme", home, dice.choice((300, 500, 1000)))]
    if dice.random() < 0.15:
        places.append(_place("cabin", "Hytta", dice.choice(addresses), 1000))
    interests = dice.sample(INTERESTS, dice.randint(2, 7))
    if number == 0:
        # The one whose mails the README looks at: near Storgata 4, and with an eye on everything.
        home = next(one for one in addresses if (one.street, one.number) == ("Storgata", "2"))
        places, interests = [_place("home", "Hjemme", home, 500)], list(INTERESTS)
    thresholds = [
        {
            "id": f"bath-{index}",
            "sensor": sensor,
            "observed_property": "water-temperature",
            "direction": "rising",
            "value": dice.choice((17, 18, 20)),
            "hysteresis": 0.5,
        }
        for index, sensor in enumerate(BATHING_SENSORS)
        if number == 0 or ("bathing" in interests and dice.random() < 0.6)
    ]
    return {
        "language": "nb" if number == 0 else dice.choice(LANGUAGES),
        "areas": [home.area],
        "interests": interests,
        "organisers": dice.sample(ORGANISERS, dice.randint(0, 2)) if number else [ORGANISERS[0]],
        "places": places,
        "sensor_thresholds": thresholds,
        "cadence": "immediately" if dice.random() < 0.85 or number == 0 else "daily",
    }


def _place(name: str, label: str, address: Address, radius: int) -> dict:
    return {
        "id": name,
        "label": label,
        "longitude": address.longitude,
        "latitude": address.latitude,
        "radius_metres": radius,
    }


async def seed(gateway: str, outbox: str, token: str, count: int, say: Callable[[int], None]) -> int:
    """Bring residents over through the gateway's operator API; returns how many are new.

    Every second one has a push subscription at the outbox beside the e-mail address.
    """
    addresses = read_addresses()
    limit = asyncio.Semaphore(AT_ONCE)
    made = 0
    async with httpx.AsyncClient(timeout=30) as client:

        async def bring(number: int) -> None:
            nonlocal made
            async with limit:
                request: dict = {
                    "municipality": "NO-9901",
                    "choices": resident(number, addresses),
                    "address": f"beboer{number:03d}@fjordvik.example",
                }
                if number % 2 == 0:
                    subscription = (await client.post(f"{outbox}/api/subscriptions")).json()
                    request["push_subscriptions"] = [
                        {
                            "endpoint": outbox + subscription["path"],
                            "keys": subscription["keys"],
                            "label": "Demo",
                        }
                    ]
                answer = await client.post(
                    f"{gateway}/api/v1/operator/subscribers",
                    json=request,
                    headers={"Authorization": f"Bearer {token}"},
                )
                answer.raise_for_status()
                made += answer.json()["created"]
                say(made)

        await asyncio.gather(*(bring(number) for number in range(count)))
    return made
