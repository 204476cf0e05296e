"""Texts of strangers do no harm and stay readable."""

import pytest
from kommunepuls_chassis.texts import clean_html, headline, html_of_plain_text, plain_text, shortened

PAYLOADS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    '<a href="javascript:alert(1)">klikk</a>',
    '<a href="JaVaScRiPt&colon;alert(1)">klikk</a>',
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<math><mtext><style><img src=x onerror=alert(1)></style></mtext></math>",
    '<p style="background:url(javascript:alert(1))">tekst</p>',
    "<template><script>alert(1)</script></template>",
    '"><script>alert(1)</script>',
    "<body onload=alert(1)>",
    "<object data=data:text/html,<script>alert(1)</script>></object>",
]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_script_survives_in_html(payload: str) -> None:
    cleaned = clean_html(f"<p>før</p>{payload}<p>etter</p>").lower()
    for trace in ("<script", "onerror=", "onload=", "javascript:", "<iframe", "<object", "style=", "<svg"):
        assert trace not in cleaned
    assert "<p>før</p>" in cleaned
    assert "<p>etter</p>" in cleaned


@pytest.mark.parametrize("payload", PAYLOADS)
def test_plain_text_keeps_no_element(payload: str) -> None:
    assert "<script" not in plain_text(payload)
    assert "onerror" not in plain_text(payload)


def test_harmless_markup_stays() -> None:
    html = '<p>Les <a href="https://fjordvik.example/">mer</a> <strong>nå</strong></p><ul><li>en</li></ul>'
    cleaned = clean_html(html)
    assert 'href="https://fjordvik.example/"' in cleaned
    assert "<strong>nå</strong>" in cleaned
    assert "noopener" in cleaned


def test_html_becomes_readable_lines() -> None:
    assert (
        plain_text("<p>Vann&nbsp;stengt</p><p>Fra kl.&#160;8 til 12 &amp; utover</p>")
        == "Vann stengt\nFra kl. 8 til 12 & utover"
    )


def test_invisible_and_direction_changing_characters_are_dropped() -> None:
    assert plain_text("Gra\u200btis\u202e! \x00slutt", is_html=False) == "Gratis! slutt"


def test_plain_text_as_html_is_escaped() -> None:
    assert html_of_plain_text("a < b\nc\n\nd & e") == "<p>a &lt; b<br>c</p><p>d &amp; e</p>"


def test_a_long_text_is_cut_at_a_word() -> None:
    assert shortened("Veien er stengt på grunn av ras", 20) == "Veien er stengt på…"
    assert shortened("kort", 20) == "kort"
    assert len(shortened("x" * 50, 20)) == 20


def test_a_headline_is_the_first_sentence() -> None:
    assert headline("Laget søker trener! Ta kontakt med oss.\nMer tekst") == "Laget søker trener!"
    assert headline("Hei! Vi søker trener") == "Hei! Vi søker trener"
    assert (
        headline("Skolegata er stengt mellom nr. 4 og 18. Følg skiltene.")
        == "Skolegata er stengt mellom nr. 4 og 18."
    )
    assert (
        headline("Møt opp kl. 12 ved Storgata nr. 4. Ta med spade.") == "Møt opp kl. 12 ved Storgata nr. 4."
    )
    assert headline("") == ""
