"""Gates: the four smallest operations that a recurrent network is made of.

Each gate keeps its input in the forward pass and, in the backward pass, turns the gradient at its
output into the gradients at its inputs. Lesson 3 wires them into a graph of one time step and reads
the backward formulas off it, one gate at a time. Left out: the graph itself, and speed; the layers
compute the same in one go.

All arrays are row vectors, one row a sample: ``z = x @ W``.
"""

import numpy as np


class MultiplyGate:
    """The matrix product ``z = x @ W`` (lesson 3, section 1)."""

    def forward(self, x: np.ndarray, W: np.ndarray) -> np.ndarray:
        """Multiply; `x` is (N, n_in), `W` (n_in, n_out), the product (N, n_out)."""
        self.x, self.W = x, W
        return x @ W

    def backward(self, dz: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """From `dz` (N, n_out) return `dx` (N, n_in) and `dW` (n_in, n_out)."""
        return dz @ self.W.T, self.x.T @ dz


class AddGate:
    """The sum ``z = p + q``, where `q` may be one row for all samples (lesson 3, section 1)."""

    def forward(self, p: np.ndarray, q: np.ndarray) -> np.ndarray:
        """Add; `p` is (N, n), `q` (N, n) or a bias (n,), the sum (N, n)."""
        self.q_is_row = q.ndim < p.ndim
        return p + q

    def backward(self, dz: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """From `dz` (N, n) return `dp` (N, n) and `dq`, shaped as `q` was."""
        return dz.copy(), dz.sum(axis=0) if self.q_is_row else dz.copy()


class ProductGate:
    """The elementwise product ``z = p * q`` (lesson 3, section 1)."""

    def forward(self, p: np.ndarray, q: np.ndarray) -> np.ndarray:
        """Multiply element by element; all shapes (N, n)."""
        self.p, self.q = p, q
        return p * q

    def backward(self, dz: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """From `dz` (N, n) return `dp` and `dq`, both (N, n)."""
        return dz * self.q, dz * self.p


class TanhGate:
    """The activation ``h = tanh(a)`` (lesson 3, section 1)."""

    def forward(self, a: np.ndarray) -> np.ndarray:
        """Apply tanh to every element; shapes as `a`."""
        self.h = np.tanh(a)
        return self.h

    def backward(self, dh: np.ndarray) -> np.ndarray:
        """From `dh` return `da`, shapes alike: ``dh * (1 - h**2)``."""
        return dh * (1 - self.h**2)
