"""Ctrl-C that waits for a good moment.

Python raises `KeyboardInterrupt` wherever it happens to be: with half of the parameters updated,
say. Inside of `PatientInterrupt` the first Ctrl-C is only noted, and the code asks for it where it
can stop. `Epoch` is what it then leaves to be gone on with.
"""

import signal
import threading
from dataclasses import dataclass, field

import numpy as np


class PatientInterrupt:
    """Note the first Ctrl-C inside a ``with`` block; the second one interrupts as usual.

    Outside the main thread, or where somebody else has a way of their own with Ctrl-C, it changes
    nothing.

    Attributes
    ----------
    requested : bool
        Whether there was a Ctrl-C.
    """

    def __init__(self) -> None:
        self.requested = False

    def __enter__(self) -> "PatientInterrupt":
        is_usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
        self._acts = is_usual and threading.current_thread() is threading.main_thread()
        if self._acts:
            signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *exception: object) -> None:
        if self._acts:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def _note(self, *signal_and_frame: object) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True


@dataclass
class Epoch:
    """An epoch under way.

    Attributes
    ----------
    n_before : int
        Epochs that the same fit has finished.
    batches : list of ndarray of int
        The sequences of each batch, in the order in which they are trained on.
    n_done : int
        Batches done.
    sums : ndarray, shape (2,)
        Loss and accuracy, summed over the sequences of these.
    seconds : float
        Time spent on it.
    """

    n_before: int
    batches: list[np.ndarray]
    n_done: int = 0
    sums: np.ndarray = field(default_factory=lambda: np.zeros(2))
    seconds: float = 0.0

    @property
    def n_sequences(self) -> int:
        """Sequences in all batches."""
        return sum(map(len, self.batches))

    def batch_done(self, loss: float, accuracy: float, n: int) -> None:
        """Count a batch of `n` sequences, with its mean loss and accuracy."""
        self.sums += np.multiply((loss, accuracy), n)
        self.n_done += 1

    def means(self) -> dict[str, float]:
        """Return the means over all sequences, once all batches are done."""
        loss, accuracy = self.sums / self.n_sequences
        return {"loss": float(loss), "accuracy": float(accuracy)}
