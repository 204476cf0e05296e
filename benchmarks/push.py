"""How fast an alert reaches web push subscriptions, ledger included, and whether it waits: `python benchmarks/push.py`."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import uvloop
from notifier.testing import ALERT
from push_alone import ceiling, encryption, peer, wire
from push_town import Town, stub, town
from table import Part, run_part

NEWSLETTER, EMERGENCY = 50_000, 200
"""Recipients at most."""
SETTLED = 0.1
"""Of the newsletter is out when the emergency is published."""


@asynccontextmanager
async def warm_town(residents: int, **settings: str) -> AsyncIterator[Town]:
    """A town in which something was sent before."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        async with stub(home) as service, town(residents, service, home, **settings) as place:
            some = list(place.keys)[: residents // 50]
            await place.alert("warm-up", some)
            await place.until_taken(len(some), 120)
            await place.until_closed(60)
            yield place


async def alert(part: Part, place: Town, *, keys_ahead: bool, peer_rate: float) -> None:
    """An alert to everybody."""
    service, residents = place.service, len(place.keys)
    await service.asked("/forget")
    before = place.used()
    began = await place.alert("flood", list(place.keys), **ALERT)
    await place.until_taken(residents, 300)
    closed = await place.until_closed(60)
    used = [now - then for now, then in zip(place.used(), before, strict=True)]
    told = await service.asked("/count")
    accepted, read = told["last"] - began, place.read(told["sample"])
    name = f"{residents:,} web push, {'keys made ahead' if keys_ahead else 'no key made ahead'}"
    goal = residents / 20_000
    part.row(f"{name}: publish to last acceptance", f"{goal:.2g} s" if keys_ahead else "",
             f"{accepted:.2f} s = {residents / accepted:,.0f}/s", f"{residents / accepted / peer_rate:.0f} x webpush()",
             met=accepted < goal if keys_ahead else None)  # fmt: skip
    part.row("  from the first acceptance to the last", value=f"{told['last'] - told['first']:.2f} s")
    part.row("  until the ledger is closed and deliveries.v1 told", value=f"{closed - began:.2f} s")
    part.row("  processor time a message: notifier, its crowds, stub, broker",
             value=", ".join(f"{one / residents * 1e6:.0f}" for one in used) + " us",
             ratio=f"{sum(used) / residents * 1e6:.0f} us in all")  # fmt: skip
    part.row("  endpoints reached; sent twice; sender keys used twice", f"{residents}; 0; 0",
             f"{told['endpoints']}; {told['push'] - told['endpoints']}; {told['push'] - told['sender_keys']}",
             met=told["endpoints"] == told["push"] == told["sender_keys"] == residents)  # fmt: skip
    part.row("  of a sample, decrypted by http_ece", f"{len(told['sample'])}", str(read),
             met=read == len(told["sample"]) > 0)  # fmt: skip
    part.row("  VAPID tokens signed", "2: 1 a process", str(told["tokens"]), met=told["tokens"] == 2)


async def emergency(part: Part, place: Town) -> None:
    """An emergency while a newsletter drains."""
    service, everybody = place.service, list(place.keys)[:NEWSLETTER]
    residents = len(everybody)
    await service.asked("/forget")
    await place.alert("newsletter", everybody)
    await place.until_taken(int(residents * SETTLED), 120)
    began = await place.alert("storm", everybody[:EMERGENCY], **ALERT)
    await place.until_taken(residents + EMERGENCY, 300)
    await place.until_closed(60)
    told = await service.asked("/count")
    took, drained = told["urgent_last"] - began, told["last"] - began
    part.row(f"an emergency to {EMERGENCY} while a newsletter to {residents:,} drains: last acceptance",
             "passes it", f"{took:.2f} s; in one queue {drained:.2f} s",
             f"{told['after_urgent'] / residents:.0%} of it came after", met=took < drained / 2)  # fmt: skip
    part.row("  of both, sent twice", "0", str(told["push"] - residents - told["urgent"]),
             met=told["push"] == residents + EMERGENCY)  # fmt: skip


async def over_sockets(part: Part) -> None:
    """What needs a push service."""
    with tempfile.TemporaryDirectory() as folder:
        async with stub(Path(folder)) as service:
            await asyncio.to_thread(ceiling, part, service)
            await wire(part, service)
            peer_rate = await asyncio.to_thread(peer, part, service)
    async with warm_town(part.options["residents"] or (12_000 if part.quick else 100_000)) as place:
        await place.until_keys_are_made(300)
        await emergency(part, place)
        await place.until_keys_are_made(300)
        await alert(part, place, keys_ahead=True, peer_rate=peer_rate)
    if not part.quick:
        async with warm_town(20_000, KP_PUSH_KEYS_AHEAD="0") as place:
            await alert(part, place, keys_ahead=False, peer_rate=peer_rate)


def measure(part: Part) -> None:
    """All of it."""
    encryption(part)
    uvloop.run(over_sockets(part))


if __name__ == "__main__":
    run_part(__doc__, measure, residents="subscriptions in the town")
