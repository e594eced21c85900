"""A gradient that is zero in most rows, kept as the few rows that are not.

A batch of reviews holds a few thousand different words out of tens of thousands. The gradient of
the embedding table is zero in all other rows; to store, scale and add those zeros would cost more
than everything else in a training step.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class RowGradient:
    """The gradient of a table: values for some rows, zero elsewhere.

    Attributes
    ----------
    rows : ndarray, shape (R,)
        Row numbers, rising, each once.
    values : ndarray, shape (R, n_columns)
        The gradient in these rows.
    shape : (n_rows, n_columns)
        Shape of the table, and of the gradient written out in full.
    """

    rows: np.ndarray
    values: np.ndarray
    shape: tuple[int, int]

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        """Write the gradient out in full, for a test or a plot."""
        full = np.zeros(self.shape, dtype or self.values.dtype)
        full[self.rows] = self.values
        return full

    @classmethod
    def from_lookups(
        cls, ids: np.ndarray, gradients: np.ndarray, shape: tuple[int, int]
    ) -> "RowGradient":
        """Add up the gradients of all look-ups of the same row.

        Sorting the look-ups brings equal rows together, so that each sum is one run. Row numbers
        are made as short as they can be first: NumPy sorts 16-bit numbers several times as fast.

        Parameters
        ----------
        ids : ndarray of int, shape (L,)
            The row that each look-up read; L >= 1.
        gradients : ndarray, shape (L, n_columns)
            The gradient at what each look-up returned.
        shape : (n_rows, n_columns)
            Shape of the table.

        Returns
        -------
        RowGradient
            The sum over look-ups.
        """
        order = np.argsort(ids.astype(np.min_scalar_type(shape[0] - 1)), kind="stable")
        ids = ids[order]
        starts = np.concatenate(([0], np.flatnonzero(np.diff(ids)) + 1))
        sums = np.add.reduceat(gradients.take(order, axis=0), starts, axis=0)
        return cls(ids[starts], sums, shape)
