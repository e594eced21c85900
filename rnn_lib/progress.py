"""The progress bar of everything that takes more than some seconds.

It has no clock, neither in what it shows nor in when it moves: every run looks the same, and a
notebook that is executed again is the same file. Left out: times.
"""

from collections.abc import Iterable
from typing import Any


def progress_bar(
    total: int, iterable: Iterable | None = None, description: str = "", show: bool = True
) -> Any:
    """Make a bar that moves in fifty steps.

    Parameters
    ----------
    total : int
        Where the bar ends.
    iterable : iterable, optional
        What to go through; without it the caller moves the bar by ``update()``.
    description : str
        What stands in front of it.
    show : bool
        Whether anything is shown.

    Returns
    -------
    tqdm
        The bar; iterating over it gives the items of `iterable`.
    """
    from tqdm import tqdm  # here, so that importing the library stays quick

    bar_format = "{l_bar}{bar:30}| {n_fmt}/{total_fmt}{postfix}"
    how = {"miniters": max(1, total // 50), "mininterval": 0, "bar_format": bar_format}
    return tqdm(iterable, description, total, disable=not show, **how)
