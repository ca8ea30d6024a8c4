"""The index that a page searches in: every word, with how much it says of each section.

It is made here, once. The script of the pages only adds up: for each word typed, the words of the
index that begin with it or share its stem; for each section, the sum over what was typed.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from .page import Page, Section

TITLE, ALSO, TEXT, CODE = 6.0, 2.5, 2.0, 0.5
"""What a word says where it stands: in a heading most, in code least."""

KINDS = {"word": 1.3, "trap": 1.3, "claim": 1.0, "section": 1.0, "guide": 0.8, "page": 1.0}
"""A word of the glossary and a trap are answers; a section is where to read on."""

STOP = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at be but by can do does for from has have how i if in into is it its me "
        "my of on or so that the their them then there this to was what when where which why with "
        "you your",
    )
)
"""They stand everywhere and say nothing."""

_TOKEN = re.compile(r"[^\W_]+(?:[._]+[^\W_]+)*")


def tokens(text: str) -> Iterator[str]:
    """Yields the words of a text in small letters: `from_generator` whole, and its parts."""
    for found in _TOKEN.finditer(text.lower()):
        whole = found.group()
        parts = re.split(r"[._]+", whole)
        named = [part for part in whole.split(".") if "_" in part]
        for word in dict.fromkeys([whole, *named, *parts]):
            if word not in STOP and (len(word) > 1 or word.isdigit()):
                yield word


def weights(section: Section) -> dict[str, float]:
    """How much each word says of a section."""
    said: dict[str, float] = defaultdict(float)
    title = list(tokens(section.title))
    for word in title:
        said[word] += TITLE / math.sqrt(len(title))
    for word in set(tokens(section.also)):
        said[word] += ALSO
    for text, weight in ((section.text, TEXT), (section.code, CODE)):
        for word, count in Counter(tokens(text)).items():
            said[word] += weight * count / (count + 2)  # ten mentions are not ten times one
    return said


def index(pages: Iterable[Page]) -> dict[str, object]:
    """Makes the index.

    Returns:
        "docs": a list of address, kind, title, the page's title, text and further words; "words":
        for each word, a flat list of numbers of docs and weights in hundredths; "stop".
    """
    docs, found = [], []
    for page in pages:
        for number, section in enumerate(page.sections):
            if number and (page.kind == "start" or not (section.text or section.code)):
                continue  # the start page leads to the others and says nothing of its own
            kind = page.kind if number else "page"
            if page.kind in ("word", "trap", "claim") and section.level < 3:
                kind = "page"
            address = page.address + (f"#{section.anchor}" if number else "")
            docs.append(
                [address, kind, section.title, page.title, section.text, section.also.strip()]
            )
            found.append(weights(section))
    spread = Counter(word for said in found for word in said)
    words: dict[str, list[int]] = defaultdict(list)
    for number, said in enumerate(found):
        for word, weight in said.items():
            rare = math.log(1 + len(docs) / spread[word])
            words[word] += [number, round(100 * weight * rare * KINDS[docs[number][1]])]
    return {"docs": docs, "words": dict(sorted(words.items())), "stop": sorted(STOP)}


def script(pages: Iterable[Page]) -> str:
    """The index as a script: a page opened from a disk may not read a JSON file beside it."""
    packed = json.dumps(index(pages), ensure_ascii=False, separators=(",", ":"))
    return f"window.INDEX={packed};\n"
