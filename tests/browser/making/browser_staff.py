"""Staff of the made-up town, taken in by the operator and signed in by the mailed link."""

import io
from datetime import timedelta

import httpx
from browser_stage import Stage
from gateway_api.domain.organisers.content import Content, DraftPicture, Position
from gateway_api.domain.staff import Role, Staff
from kommunepuls_chassis.sealing import unseal
from kommunepuls_chassis.testing import eventually
from kommunepuls_events import Kind
from kommunepuls_events.base import utc_now
from PIL import Image

EVA, MARI = "eva@example.no", "mari@example.no"
CLUB = "NO-9901/fjordvik-fotball"
TOWN = "NO-9901"
CLUB_PAGE = "/organisers/NO-9901%2Ffjordvik-fotball"
_EDITOR = Staff("Eva Holm", frozenset({Role.EDITOR}), TOWN)
_ORGANISER = Staff("Mari Lie", frozenset({Role.ORGANISER}), TOWN, frozenset({CLUB}))
_OPERATOR = {"Authorization": "Bearer operator-token-0001"}
_MEMBERS = {
    EVA: {"name": "Eva Holm", "roles": ["editor"]},
    MARI: {"name": "Mari Lie", "roles": ["organiser"], "organisers": [CLUB]},
}


async def with_staff(stage: Stage) -> None:
    """An editor and an organiser with drafts; their cookies stand beside those of the residents."""
    for address, member in _MEMBERS.items():
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
    await _with_drafts(stage)


def photo() -> bytes:
    """A picture such as a club uploads."""
    file = io.BytesIO()
    Image.linear_gradient("L").resize((1600, 900)).convert("RGB").save(file, "JPEG")
    return file.getvalue()


async def _with_drafts(stage: Stage) -> None:
    """One that waits, one that was sent back, and one that is out; by what they are."""
    gateway = stage.running.gateway
    kept = await gateway.pictures.keep(photo())
    event = Content(
        kind=Kind.EVENT,
        title="Siste hjemmekamp før jul",
        text="Vi spiller mot Bergvik, og **alle** er velkomne.\n\n- Gratis inngang\n- Loddsalg",
        interests=("football", "sports"),
        starts_at=utc_now() + timedelta(days=20),
        place_name="Storgata 1",
        position=Position(longitude=10.0527, latitude=59.1609),
        picture=DraftPicture(
            address=kept.large, alternative_text="Banen", width=kept.width, height=kept.height
        ),
    )
    wanted = Content(
        kind=Kind.VOLUNTEER_NEED, title="Trenere til de yngste", text="To kvelder.", interests=("football",)
    )
    for name, content in (("out", event), ("waiting", event), ("sent-back", wanted)):
        draft = await gateway.drafts.begin(_ORGANISER, CLUB, content)
        await gateway.drafts.hand_in(_ORGANISER, draft.id, 1)
        if name == "out":
            await gateway.drafts.approve(_EDITOR, draft.id, 1)
        elif name == "sent-back":
            await gateway.drafts.send_back(_EDITOR, draft.id, 1, "Hvor ofte? Skriv det i første setning.")
        stage.drafts[name] = draft.id
