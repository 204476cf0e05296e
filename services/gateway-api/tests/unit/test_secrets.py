import pytest
from gateway_api.domain.secrets import keyed_hash, normalised_address


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        (" Kari@Example.NO ", "kari@example.no"),
        ("kari+puls@example.no", "kari+puls@example.no"),
        ("kari@blåbær.no", "kari@xn--blbr-roah.no"),
    ],
)
def test_an_address_is_the_same_however_it_is_written(written: str, normal: str) -> None:
    assert normalised_address(written) == normal


@pytest.mark.parametrize(
    "written",
    ["", "kari", "kari@", "@example.no", "kari@example", "ka ri@example.no", "kari@exa mple.no",
     "kari\r\nBcc: x@example.no", "kari@@example.no", "<kari@example.no>", ".kari@example.no",
     "kari@-example.no", "k" * 65 + "@example.no", "kari@" + "a" * 250 + ".no", "kari@.no"],
)  # fmt: skip
def test_what_mail_cannot_be_sent_to_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"address|character|domain"):
        normalised_address(written)


def test_hashes_differ_by_purpose_and_by_pepper() -> None:
    hashes = {
        keyed_hash("kari@example.no", pepper, purpose=purpose)
        for pepper in ("one", "other")
        for purpose in ("address", "push")
    }
    assert len(hashes) == 4
