"""Contact commands: endpoints kept, retired and erased; links and tests sent."""

from datetime import timedelta

import pytest
from kommunepuls_chassis.errors import PermanentError
from kommunepuls_chassis.testing import eventually
from kommunepuls_events import Channel, ContactAction
from notifier.domain.sendings import Kind, State
from notifier.testing import NOON, PUSH_KEYS, Rig, item, match, received

LINK = {"address": "ny@post.example", "link": "https://puls.example/login/abc"}


async def test_a_sign_in_link_is_mailed_and_its_address_is_kept_nowhere(rig: Rig) -> None:
    await rig.command(ContactAction.SEND_LINK, LINK, language="nn", expires_at=NOON + timedelta(minutes=15))
    await eventually(lambda: rig.email.carried, within=10)
    [(message, endpoint)] = rig.email.carried
    assert (message.kind, message.language, message.link) == (Kind.LINK, "nn", LINK["link"])
    assert endpoint.contact.address == "ny@post.example"
    assert message.unsubscribe_url is None

    async def over() -> bool:
        return (await rig.sending()).state is State.SENT

    await eventually(over, within=10)
    assert (await rig.sending()).sealed is None
    assert await rig.notifier.vault.active(["s-1"]) == {}


@pytest.mark.parametrize(
    ("letter", "title"),
    [
        ("staff-invitation", "Du er invitert til ansattsidene"),
        ("staff-link", "Lenken din for å logge inn på ansattsidene"),
        ("of-another-version", "Lenken din for å logge inn"),
    ],
)
async def test_a_link_to_staff_says_where_it_leads(rig: Rig, letter: str, title: str) -> None:
    await rig.command(ContactAction.SEND_LINK, LINK | {"letter": letter}, language="nb")
    await eventually(lambda: rig.email.carried, within=10)
    [(message, _)] = rig.email.carried
    assert message.title == title


async def test_the_same_command_twice_mails_one_link(rig: Rig) -> None:
    for _ in range(2):
        await rig.command(ContactAction.SEND_LINK, LINK, id="c-1")
    await rig.command(ContactAction.SEND_LINK, LINK, id="c-2")
    await eventually(lambda: len(rig.email.carried) == 2, within=10)


async def test_a_link_that_is_too_old_is_dropped(rig: Rig) -> None:
    await rig.command(ContactAction.SEND_LINK, LINK, expires_at=NOON - timedelta(seconds=1))

    async def over() -> bool:
        return (await rig.sending()).state is State.SUPPRESSED

    await eventually(over, within=10)
    assert rig.email.carried == []


async def test_a_link_to_somewhere_else_is_never_mailed(rig: Rig) -> None:
    await rig.command(ContactAction.SEND_LINK, LINK | {"link": "https://puls.example.evil.test/x"})

    async def over() -> bool:
        return (await rig.sending()).cause == "foreign-link"

    await eventually(over, within=10)
    assert rig.email.carried == []


async def test_a_test_goes_to_the_endpoint_that_was_asked_for(rig: Rig) -> None:
    await rig.push_to(endpoint="p-1")
    await rig.push_to(endpoint="p-2")
    await rig.command(ContactAction.SEND_TEST, endpoint="p-2", language="sv")
    await eventually(lambda: rig.push.carried, within=10)
    [(message, endpoint)] = rig.push.carried
    assert (message.kind, message.language, endpoint.id) == (Kind.TEST, "sv", "p-2")


async def test_a_test_of_somebody_elses_endpoint_is_refused(rig: Rig) -> None:
    await rig.push_to("s-1", endpoint="p-1")
    with pytest.raises(PermanentError, match="not in use"):
        await rig.command(ContactAction.SEND_TEST, subscriber="s-2", endpoint="p-1")


async def test_a_contact_sealed_for_another_subscriber_is_refused(rig: Rig) -> None:
    await rig.command(ContactAction.SEND_LINK, LINK, id="made-for-s-1")
    from kommunepuls_chassis.sealing import public_key_of, seal
    from kommunepuls_events import ContactCommandV1

    stolen = seal({"address": "a@b.example"}, public_key_of(rig.contact_key), subscriber="s-1")
    command = ContactCommandV1(
        id="c", subscriber="s-2", action="register", channel="email", sealed=stolen, at=NOON
    )
    with pytest.raises(PermanentError) as error:
        await rig.notifier.intake.take_commands([received(command)])
    assert error.value.reason == "cannot-unseal"


@pytest.mark.parametrize(
    "content",
    [
        {"address": "nobody"},
        {"address": "a@b.example\r\nBcc: all@b.example"},
        {"address": "a@b.example, c@d.example"},
        {"address": ""},
        {"address": None},
        {"address": "x" * 300 + "@b.example"},
    ],
)
async def test_what_is_no_address_is_refused_without_repeating_it(rig: Rig, content: dict) -> None:
    with pytest.raises(PermanentError) as error:
        await rig.command(ContactAction.REGISTER, content, channel=Channel.EMAIL, endpoint="m")
    assert error.value.reason == "bad-contact"
    assert "b.example" not in str(error.value)


@pytest.mark.parametrize(
    "content",
    [
        {"endpoint": "ftp://push.example/x", **PUSH_KEYS},
        {"endpoint": "https://user:pw@push.example/x", **PUSH_KEYS},
        {"endpoint": "https:///x", **PUSH_KEYS},
        {"endpoint": "https://push.example:99999/x", **PUSH_KEYS},
        {"endpoint": "https://push.example/\n", **PUSH_KEYS},
        {"endpoint": "https://push.example/x", "p256dh": "AAAA", "auth": PUSH_KEYS["auth"]},
        {"endpoint": "https://push.example/x", "p256dh": PUSH_KEYS["p256dh"], "auth": "AA"},
        {"endpoint": 7, **PUSH_KEYS},
    ],
)
async def test_what_is_no_push_subscription_is_refused(rig: Rig, content: dict) -> None:
    with pytest.raises(PermanentError) as error:
        await rig.command(ContactAction.REGISTER, content, channel=Channel.PUSH, endpoint="p")
    assert error.value.reason == "bad-contact"


async def test_erasing_forgets_endpoints_reservations_and_profile(rig: Rig) -> None:
    await rig.resident()
    await rig.matches(match(item()))
    await rig.until_told(1)
    await rig.command(ContactAction.ERASE)
    assert await rig.notifier.vault.known(["s-1"]) == {}
    assert await rig.notifier.ledger._sendings.find({}) == []


async def test_a_retired_endpoint_loses_its_address(rig: Rig) -> None:
    await rig.mail_to(endpoint="m-1")
    await rig.command(ContactAction.RETIRE, endpoint="m-1")
    stored = await rig.notifier.vault._endpoints.get("m-1")
    assert stored.document["sealed"] is None
    assert stored.document["lookup"] is None
    assert await rig.notifier.vault.get("m-1") is None
