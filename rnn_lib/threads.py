"""One thread for the matrix products of a recurrent network.

The products are small. Sharing one between two cores saves nothing even on a quiet machine, and on
a busy one each core waits for the other at every product: with two trainings at once on two cores,
each took four times as long as with one thread. One thread also adds in one order, so that results
do not depend on the number of cores.
"""

from contextlib import AbstractContextManager
from functools import cache

from threadpoolctl import ThreadpoolController


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()  # looks through all loaded libraries: once is enough


def one_blas_thread() -> AbstractContextManager:
    """Limit NumPy's matrix products to one thread inside a ``with`` block.

    Returns
    -------
    context manager
        Sets the limit on entry and the earlier one on exit.
    """
    return _controller().limit(limits=1, user_api="blas")
