"""What students wrote, on pages that teachers read: nothing in it runs or asks another machine.

nbconvert and nbgrader show Markdown with all the HTML that stands in it. Here it is cleaned after
it has become HTML, on the feedback pages and in Formgrader, where a script could change
points. Outputs nbconvert cleans itself (`sanitize_html`); an SVG it shows as an image, which runs
nothing.
"""

import re

import bleach
from nbconvert.filters import get_metadata, strip_files_prefix

FILTERS = {
    "strip_files_prefix": f"{__name__}.shown",  # nbgrader's last filter on Markdown
    "get_metadata": f"{__name__}.plain_metadata",
}
"""Of nbconvert's templates, by name: what takes the place of its own."""

_TAGS = {
    *("a", "b", "blockquote", "br", "code", "del", "details", "div", "em", "h1", "h2", "h3", "h4"),
    *("h5", "h6", "hr", "i", "img", "li", "ol", "p", "pre", "span", "strong", "sub", "summary"),
    *("sup", "table", "tbody", "td", "th", "thead", "tr", "ul"),
}
_VALUES = {
    ("a", "href"): r"https?:|mailto:",
    ("img", "src"): r"data:image/(png|jpeg|gif|svg\+xml);base64,[\w+/=\s]*$",
    ("img", "alt"): "",
    ("div", "class"): r"highlight$",
    ("span", "class"): r"[a-z]\w?$",  # of pygments: what Formgrader's script looks for is longer
}


def shown(html: str) -> str:
    """Return HTML that was made of Markdown with all taken out that could do harm."""
    return bleach.clean(
        strip_files_prefix(html),
        tags=_TAGS,
        attributes=lambda tag, name, value: re.match(_VALUES.get((tag, name), "$."), value),
        protocols={"http", "https", "mailto", "data"},
    )


def plain_metadata(output: dict, key: str, mimetype: str | None = None) -> object:
    """Return what an output says of itself if it cannot leave the attribute it is written into."""
    value = get_metadata(output, key, mimetype)
    return value if re.fullmatch(r"[\w.%-]+", str(value)) else None
