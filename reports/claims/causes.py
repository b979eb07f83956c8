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
# measurement shows, or the programme as the cause of anything.
_SUBJECT: Final = r"(?:regio ?deal|deal|programma\w*|project\w*|aanpak|inzet|investering\w*)"
_CAUSAL: Final = re.compile(
    r"\b(?:dankzij|doordat|waardoor|daardoor|hierdoor|gevolg van|geleid tot|leid(?:t|en|de|den) tot|komt door|kwam door"
    r"|zorg(?:t|en|de|den) (?:er)?voor|(?:er)?voor gezorgd|veroorza\w+|effect (?:van|op)|te danken aan|bewezen"
    rf"|door (?:de|het|deze|dit|onze|ons) (?:\w+ )?{_SUBJECT})\b",
    re.IGNORECASE,
)
_OF_PROGRAMME: Final = re.compile(rf"\b{_SUBJECT}\b", re.IGNORECASE)
_OF_WELFARE: Final = re.compile(
    r"\b(?:welvaart|geluk\w*|gezond\w*|inkomen\w*|arbeid\w*|participatie|instroom|werkgelegenheid|meer|minder|beter\w*"
    r"|verbeter\w*|hoger|lager|gestegen|gedaald|stijg\w*|daal\w*|daling|toegenomen|afgenomen|gegroeid)\b",
    re.IGNORECASE,
)
_END: Final = re.compile(r"(?<=[.!?])\s+|\n+")


def causal_sentences(text: str) -> list[str]:
    """The sentences of a Dutch text that say that the programme caused something, or what caused a change in welfare.

    A list for an editor to look at, found by words: it may name a sentence too many, and misses a cause that is said
    without one of these words.
    """
    sentences = (part.strip() for part in _END.split(text))
    return [s for s in sentences if _CAUSAL.search(s) and (_OF_PROGRAMME.search(s) or _OF_WELFARE.search(s))]
