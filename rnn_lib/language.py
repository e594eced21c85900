"""The language of the checks and of grading: English, or another, from a catalogue in ``locale/``.

A message is written in English, and known by it. Only where it is shown is it translated: into the
language that the environment variable ``RNN_LIB_LANG`` names then.
"""

import gettext
import os
from collections.abc import Iterable
from functools import cache, reduce
from pathlib import Path

VARIABLE = "RNN_LIB_LANG"
LOCALE = Path(__file__).with_name("locale")
_catalogue = cache(gettext.translation)


class Message(str):
    """English that can be translated: ``Message("{n} of {what}", n=2, what="the words")``."""

    def __new__(cls, template: str, **parts: object) -> "Message":
        """Fill in the parts; those that are text are translated, too."""
        message = super().__new__(cls, template.format(**parts) if parts else template)
        message.template, message.parts = template, parts
        return message


def joined(template: str, texts: Iterable[str]) -> str:
    """Join texts, each, ``{last}``, to those before it, ``{most}``."""
    return reduce(lambda most, last: Message(template, most=most, last=last), texts)


def translated(text: str, language: str | None = None) -> str:
    """Return a text in a language, the reader's, or as it is where there is no translation."""
    if not text:  # of nothing, gettext gives the catalogue's head
        return text
    template, parts = getattr(text, "template", text), getattr(text, "parts", {})
    language = os.environ.get(VARIABLE, "") if language is None else language
    parts = {n: translated(p, language) if isinstance(p, str) else p for n, p in parts.items()}
    template = _catalogue("rnn_lib", LOCALE, (language,), fallback=True).gettext(template)
    return template.format(**parts) if parts else template
