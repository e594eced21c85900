"""Compare the numbers of a cell's outputs within a tolerance: a small extension of nbval.

What a network learns in float32 differs a little between processors, and so do accuracies. A cell
whose metadata say ``{"rnn_lib": {"tolerance": 0.004}}`` passes when each number that it shows is
within 0.004 of the committed one; everything between the numbers must be equal, as in any cell.
"""

import copy
import functools
import re
from decimal import Decimal

from nbval.plugin import IPyNbCell

# Neither a part of a name, such as the 2 of W_2, nor of a color, such as #0072b2. Japanese is
# written without spaces, so its letters may stand beside a number: only ASCII ones make a name.
NUMBER = re.compile(r"(?<![\w.#])[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?!\w)", re.ASCII)


def tolerance_of(cell):
    """Return how much the cell's numbers may differ, or None: not at all."""
    return cell.metadata.get("rnn_lib", {}).get("tolerance")


def settle(new, committed, tolerance):
    """Return the text `new` with the committed text's numbers where they are close enough."""
    numbers = NUMBER.findall(committed)
    if len(numbers) != len(NUMBER.findall(new)):
        return new
    remaining = iter(numbers)

    def choose(match):
        number = next(remaining)
        is_close = abs(Decimal(match[0]) - Decimal(number)) <= Decimal(str(tolerance))
        return number if is_close else match[0]

    return NUMBER.sub(choose, new)


def texts(output):
    """Yield each text of an output: where it stands, and under which key."""
    if output.output_type == "stream":
        yield output, "text"
    data = output.get("data", {})
    yield from ((data, kind) for kind in sorted(data) if kind.startswith("text/"))


def compare(compare_exactly, tolerance, new, committed):
    """Compare as nbval does, after the numbers that are close enough were set equal."""
    new = copy.deepcopy(new)
    for ours, theirs in zip(new, committed, strict=False):  # nbval sees whether one is missing
        known = {key: place[key] for place, key in texts(theirs)}
        for place, key in texts(ours):
            place[key] = settle(place[key], known.get(key, ""), tolerance)
    return compare_exactly(new, committed)


def pytest_itemcollected(item):
    """Let nbval compare a cell with a tolerance in this way, and no figures."""
    if isinstance(item, IPyNbCell) and "image/svg+xml" not in item.parent.skip_compare:
        item.parent.skip_compare += ("image/svg+xml",)  # as it does with image/png
    if isinstance(item, IPyNbCell) and tolerance_of(item.cell) is not None:
        item.compare_outputs = functools.partial(
            compare, item.compare_outputs, tolerance_of(item.cell)
        )
