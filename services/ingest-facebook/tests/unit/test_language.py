import pytest
from ingest_facebook.domain.language import language_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Det er ikke vann i Havna, og vi vet ikke hvor lenge det blir.", "nb"),
        ("Det er ikkje vatn i Havna, og me veit ikkje kor lenge det vert.", "nn"),
        ("Det är inte vatten i hamnen och vi vet inte hur länge.", "sv"),
        ("There is no water in the harbour and we do not know for how long it will be.", "en"),
        ("Dugnad!", "nb"),
    ],
)
def test_small_words_tell_the_language(text: str, language: str) -> None:
    assert language_of(text, "nb") == language


def test_a_short_text_is_in_the_towns_language() -> None:
    assert language_of("Dugnad lørdag", "nn") == "nn"
