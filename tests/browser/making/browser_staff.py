"""Staff of the made-up town, taken in by the operator and signed in by the mailed link."""

import httpx
from browser_stage import Stage
from kommunepuls_chassis.sealing import unseal
from kommunepuls_chassis.testing import eventually

EVA, MARI = "eva@example.no", "mari@example.no"
CLUB = "NO-9901/fjordvik-fotball"
TOWN = "NO-9901"
_OPERATOR = {"Authorization": "Bearer operator-token-0001"}
_MEMBERS = {
    EVA: {"name": "Eva Holm", "roles": ["editor"]},
    MARI: {"name": "Mari Lie", "roles": ["organiser"], "organisers": [CLUB]},
}


async def with_staff(stage: Stage) -> None:
    """An editor and an organiser; their cookies stand beside those of the residents."""
    for address, member in _MEMBERS.items():
        if address in stage.cookies:
            continue
        async with httpx.AsyncClient(base_url=stage.url, timeout=30) as client:
            before = len(stage.post.commands)
            asked = {"municipality": TOWN, "address": address} | member
            answer = await client.post("/api/v1/operator/staff", headers=_OPERATOR, json=asked)
            assert answer.status_code == 201, answer.text
            sent = await eventually(lambda before=before: stage.post.commands[before:], what="an invitation")
            link = unseal(sent[-1].sealed, stage.key, subscriber=sent[-1].subscriber)["link"]
            followed = await client.post(link.removeprefix(stage.url))
            assert followed.status_code == 303, followed.text
            stage.cookies[address] = [
                {"name": one.name, "value": one.value or "", "url": stage.url} for one in client.cookies.jar
            ]
