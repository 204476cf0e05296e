"""Which language a text is in, by its small words. Enough for the languages of pages in Norway and Sweden."""

import re
from collections import Counter

_WORDS = {
    "nb": "og ikke det er på til fra vi jeg noen noe hva hvor hvordan dere de en et av som for med har blir uke "
    "være skole bare også",
    "nn": "og ikkje det er på til frå vi me eg nokon noko kva kor korleis de dei ein eit av som for med har blir "
    "veke vere skule berre òg vert",
    "sv": "och inte det är på till från vi jag någon något vad var hur ni de en ett av som för med har blir vecka "
    "vara skola bara också",
    "en": "and not the is on to from we you some what where how they a an of that for with has will week be school "
    "only also this are our your",
    "de": "und nicht das ist auf zu von wir ich der die ein eine mit hat wird woche sein schule nur auch sie für im",
    "es": "y no el la es en de que los las un una con para por tu se del al más qué cómo este esta",
    "pl": "nie to jest na do z w się że dla od jak co czy są",
}
_KNOWN = {language: frozenset(words.lower().split()) for language, words in _WORDS.items()}
_WORD = re.compile(r"[^\W\d_]+")
_FEWEST = 3
_CLEARLY = 1.2


def language_of(text: str, usual: str) -> str:
    """The language of a text; the usual one unless another is clearly more likely.

    Args:
        text: readable text.
        usual: the language expected of the page, BCP 47.
    """
    counts = Counter(word.lower() for word in _WORD.findall(text[:1000]))
    scores = {
        language: sum(number for word, number in counts.items() if word in words)
        for language, words in _KNOWN.items()
    }
    best = max(scores, key=lambda language: (scores[language], language == usual))
    if scores[best] < _FEWEST or scores[best] < scores.get(usual, 0) * _CLEARLY:
        return usual
    return best
