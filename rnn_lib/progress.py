"""What is seen of everything that takes more than some seconds: a progress bar, or lines.

The bar has no clock, neither in what it shows nor in when: every run looks the same, and a notebook
that is executed again is the same file.
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

    return tqdm(
        iterable,
        description,
        total,
        disable=not show,
        miniters=max(1, total // 50),
        mininterval=0,
        bar_format="{l_bar}{bar:30}| {n_fmt}/{total_fmt}{postfix}",
    )


class FitProgress:
    """What `fit` shows while it runs: nothing, a line per epoch, or a bar."""

    def __init__(self, verbose: int, epochs: range, n_batches: int) -> None:
        if verbose not in (0, 1, 2):
            raise ValueError(f"verbose: expected 0 (silent), 1 (lines) or 2 (bar), got {verbose!r}")
        self._verbose, self._n_epochs, self._epoch = verbose, epochs.stop, epochs.start
        self._bar = progress_bar(len(epochs) * n_batches) if verbose == 2 else None

    def __enter__(self) -> "FitProgress":
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def batch_done(self) -> None:
        """Move the bar, if there is one."""
        if self._bar is not None:
            self._bar.update()

    def epoch_done(self, record: dict[str, float]) -> None:
        """Show the epoch's losses and accuracies."""
        self._epoch += 1
        text = f"loss {record['loss']:.4f}, accuracy {record['accuracy']:.4f}"
        if "val_loss" in record:
            text += (
                f", val_loss {record['val_loss']:.4f}, val_accuracy {record['val_accuracy']:.4f}"
            )
        if self._verbose == 1:
            print(f"epoch {self._epoch:>3}/{self._n_epochs}: {text}")
        elif self._bar is not None:
            self._bar.set_description(f"epoch {self._epoch}/{self._n_epochs}", refresh=False)
            self._bar.set_postfix_str(text)
