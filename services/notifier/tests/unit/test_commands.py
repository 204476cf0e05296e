"""The commands an operator runs once, and how a wrong setting is told."""

from pathlib import Path

import pytest
from kommunepuls_chassis.errors import OperatorError
from kommunepuls_chassis.settings import load_settings, settings_table
from notifier import bounces, keys
from notifier.adapters.dkim_keys import read_keys
from notifier.app import compose
from notifier.records.vault_keys import KeyRing
from notifier.settings import Settings


def test_fresh_keys_are_lines_for_an_environment_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert keys.main([]) == 0
    first = dict(line.split("=", 1) for line in capsys.readouterr().out.splitlines())
    assert keys.main([]) == 0
    second = dict(line.split("=", 1) for line in capsys.readouterr().out.splitlines())
    assert set(first) == {
        "KP_VAPID_PRIVATE_KEY",
        "KP_VAPID_PUBLIC_KEY",
        "KP_VAULT_KEY",
        "KP_CONTACT_PRIVATE_KEY",
        "KP_CONTACT_PUBLIC_KEY",
        "KP_LINK_KEY",
        "KP_PEPPER",
    }
    assert not set(first.values()) & set(second.values())
    KeyRing(first["KP_VAULT_KEY"])


def test_keys_to_sign_mails_are_settings_and_records(capsys: pytest.CaptureFixture[str]) -> None:
    assert keys.main(["dkim", "fjordvik.example", "mai"]) == 0
    lines = capsys.readouterr().out.splitlines()
    given = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    read = read_keys(
        given["KP_DKIM_DOMAIN"],
        given["KP_DKIM_SELECTOR"],
        given["KP_DKIM_PRIVATE_KEY"],
        "puls@fjordvik.example",
    )
    assert [key.algorithm for key in read] == ["rsa-sha256", "ed25519-sha256"]
    assert [f"# {key.zone_line}" for key in read] == lines[-2:]
    assert keys.main(["dkim"]) == 2
    assert keys.main(["dkim", "fjord vik"]) == 2
    assert "KP_DKIM_DOMAIN" in capsys.readouterr().err


def test_returned_mails_are_shown_without_addresses(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mail = tmp_path / "mail.eml"
    mail.write_text(
        "From: mailer-daemon@x.example\nSubject: failure notice\n\n<kari@post.example>: 550 No such user\n"
    )
    assert bounces.main([str(mail)]) == 0
    shown = capsys.readouterr().out
    assert "hard-bounce\tno-such-address" in shown
    assert "kari" not in shown
    assert bounces.main([]) == 2
    assert bounces.main([str(tmp_path / "absent")]) == 2


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("KP_PUBLIC_URL", "puls.example", "KP_PUBLIC_URL"),
        ("KP_MAIL_FROM", "Puls <puls@fjordvik.example>", "KP_MAIL_FROM"),
        ("KP_SMTP_SECURITY", "maybe", "KP_SMTP_SECURITY"),
        ("KP_VAPID_PRIVATE_KEY", "x", "KP_VAPID_PRIVATE_KEY"),
        ("KP_VAPID_SUBJECT", "drift", "KP_VAPID_SUBJECT"),
        ("KP_VAULT_KEY", "x", "KP_VAULT_KEY"),
        ("KP_CONTACT_PRIVATE_KEY", "x", "contact private key"),
        ("KP_LINK_KEY", "short", "KP_LINK_KEY"),
        ("KP_DKIM_DOMAIN", "fjordvik.example", "KP_DKIM_SELECTOR"),
        ("KP_DKIM_SELECTOR", "puls", "KP_DKIM_DOMAIN"),
    ],
)
async def test_a_wrong_setting_is_told_in_one_line_before_anything_is_connected(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    for each, right in (environment | {name: value}).items():
        monkeypatch.setenv(each, right)
    with pytest.raises(OperatorError) as error:
        async with compose(load_settings(Settings)):
            pass
    assert told in str(error.value)
    assert "\n" not in str(error.value)


async def test_a_key_file_that_is_not_there_is_told_in_one_line(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given = {
        "KP_DKIM_DOMAIN": "fjordvik.example",
        "KP_DKIM_SELECTOR": "puls",
        "KP_DKIM_PRIVATE_KEY_FILE": str(tmp_path / "absent.pem"),
    }
    for each, right in (environment | given).items():
        monkeypatch.setenv(each, right)
    with pytest.raises(OperatorError, match=r"absent\.pem cannot be read: No such file"):
        async with compose(load_settings(Settings)):
            pass


def test_the_readme_lists_the_settings_as_they_are() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    assert settings_table(Settings) in readme
