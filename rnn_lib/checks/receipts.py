"""What a check tells the grader: a receipt if it passed, what it found if it failed.

Student code runs in the same process as the checks, and can put anything in their place. When
notebooks are graded, the grader hands a secret over at the start, before any student code runs.
A check that passes signs with it, out of sight, and a check without its signature earns nothing.
When nobody grades, there is no secret, and nothing is sent. How a grader reads this is left to
``classroom``.

A finding is not signed: it explains why an exercise has no points, and nobody gains by forging it.
"""

import hmac
import os

from rnn_lib.checks.failure import CheckFailed

SECRET_VARIABLE = "RNN_LIB_CHECK_SECRET"
MIME_TYPE = "application/vnd.rnn-lib.receipt"
FINDING_MIME_TYPE = "application/vnd.rnn-lib.finding+json"


def sign(secret: str, exercise: str, in_part: bool = False) -> str:
    """Return the signature under one exercise.

    Parameters
    ----------
    secret : str
        What the grader handed over.
    exercise : str
        The name of the function that was checked.
    in_part : bool
        Whether it earns half the points.

    Returns
    -------
    str
        Nobody without the secret can guess it.
    """
    signed = f"half of {exercise}" if in_part else exercise
    return hmac.new(secret.encode(), signed.encode(), "sha256").hexdigest()


# Taken away, so that student code does not find it by chance.
_secret = os.environ.pop(SECRET_VARIABLE, "")
is_graded = bool(_secret)
if is_graded:
    # Imported only when graded, since it takes time, and now, before anybody can exchange it.
    from IPython.display import publish_display_data


def issue(exercise: str, in_part: bool) -> None:
    """Send the receipt for one exercise to the grader, if there is one.

    Parameters
    ----------
    exercise : str
        The name of the function that was checked.
    in_part : bool
        Whether it earns half the points.
    """
    if is_graded:
        publish_display_data({MIME_TYPE: sign(_secret, exercise, in_part)})


def report(failure: CheckFailed) -> None:
    """Send what a failed check found to the grader, if there is one.

    Parameters
    ----------
    failure : CheckFailed
        Its `quantity`, `mistake` and `section` are sent as a dict of these three names.
    """
    if is_graded:
        names = ("quantity", "mistake", "section")
        publish_display_data({FINDING_MIME_TYPE: {name: getattr(failure, name) for name in names}})
