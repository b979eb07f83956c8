"""Words that name a cause. Watching broad welfare shows what differs and what changed, never why."""

from __future__ import annotations

import re
from typing import Final

# In no sentence of ours.
CAUSES: Final = {
    "nl": (
        *("door", "doordat", "dankzij", "leidt", "leiden", "omdat", "vanwege", "wegens", "zorgt", "waardoor"),
        *("daardoor", "komt", "gevolg", "effect", "oorzaak", "werkt"),
    ),
    "en": (
        *("because", "due", "thanks", "leads", "lead", "causes", "caused", "result", "results", "effect", "owing"),
        *("therefore", "hence", "impact"),
    ),
}

# In a text of somebody else, in Dutch. A late permit may well have a cause; what we look for is a cause of what the
# measurement shows, and the programme as the cause of anything.
_PROGRAMME: Final = r"(?:regio ?deal|deal|programma\w*|project\w*|aanpak|inzet|investering\w*)"


def _any_of(*patterns: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(patterns)})\b", re.IGNORECASE)


_BY_PROGRAMME: Final = _any_of(rf"door (?:de|het|deze|dit|onze|ons) (?:\w+ )?{_PROGRAMME}")
_MADE_BY_PROGRAMME: Final = _any_of(
    rf"{_PROGRAMME} (?:maakt|maakte|heeft|hebben|bracht\w*|brengt|verbeter\w+|verhoog\w+|vergroot\w*|verlaag\w+)",
    rf"met (?:de|het|deze|dit|onze|ons) {_PROGRAMME} (?:hebben|heeft|is|zijn|werd|werden)",
)
# Words that say little but that one thing made another; and words that people use of anything.
_STRONG: Final = _any_of(
    *(
        "dankzij",
        "gevolg van",
        "geleid tot",
        "leid(?:t|en|de|den) tot",
        "(?:komt|kwam) door",
        "zorg(?:t|de) (?:er)?voor",
    ),
    *("(?:er)?voor gezorgd", r"veroorza\w+", "effect (?:van|op)", "te danken aan", "bewezen", "bewijst"),
    *(
        "met dank aan",
        "zonder (?:de |het )?(?:regio ?)?deal",
        "resultaat van",
        "draagt bij aan",
        "droeg bij aan",
        "bijgedragen aan",
        "opgeleverd",
    ),
)
_WEAK: Final = _any_of("doordat", "waardoor", "daardoor", "hierdoor", "hiermee", "omdat", "vanwege", "wegens")
# That people are better or worse off; then `door` and the deal itself are named as causes too.
_BETTER_OFF: Final = _any_of(
    "gezonder", "gelukkiger", "beter", "slechter", "rijker", "armer", "ongezonder", "ongelukkiger"
)
_BY: Final = _any_of("door", "regio ?deal")
# What broad welfare is about, or that something became better or worse.
_WELFARE: Final = _any_of(
    *("welvaart", r"geluk\w*", r"gezond\w*", "inkomens?", "armoede", "arbeidsdeelname", "participatie", "instroom"),
    *("werkgelegenheid", "banen", "beter", "slechter", r"verbeter\w*", r"verslechter\w*", "vergroot", "hoger", "lager"),
    *("omlaag", "omhoog", "gestegen", "gedaald", r"stijg\w*", "da(?:a)?l(?:t|de|den|ing)", "steeg", "toegenomen"),
    *("afgenomen", r"nam(?:en)? (?:\w+ ){0,4}(?:toe|af)", "gegroeid", r"groei\w*", "digitaler"),
)
_MORE: Final = _any_of("meer", "minder", _PROGRAMME)
# Whoever says that it is not known claims nothing.
_NOT_KNOWN: Final = re.compile(r"\b(?:weten|weet|is|blijft)\b.*\b(?:niet|onbekend|onduidelijk)\b", re.IGNORECASE)
_END: Final = re.compile(r"(?<=[.!?])\s+|\n+")


def causal_sentences(text: str) -> list[str]:
    """The sentences of a Dutch text that say that the programme caused something, or what caused a change in welfare.

    A list for an editor to look at, found by words: it may name a sentence too many, and misses a cause that is said
    without one of these words.
    """
    sentences = (part.strip() for part in _END.split(text))
    return [sentence for sentence in sentences if _claims_a_cause(sentence)]


def _claims_a_cause(sentence: str) -> bool:
    """Whether it says what made welfare change, or that the programme made something change."""
    if sentence.lower().startswith("of ") and _NOT_KNOWN.search(sentence):
        return False
    welfare = bool(_WELFARE.search(sentence))
    if _BY_PROGRAMME.search(sentence):
        return True
    if _STRONG.search(sentence):
        return welfare or bool(_MORE.search(sentence))
    if _BETTER_OFF.search(sentence) and _BY.search(sentence):
        return True
    return welfare and bool(_WEAK.search(sentence) or _MADE_BY_PROGRAMME.search(sentence))
