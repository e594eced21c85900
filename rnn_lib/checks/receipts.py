"""A receipt for the grader: proof that a check was run to its end, and passed.

Student code runs in the same process as the checks, and can put anything in their place. When
notebooks are graded, the grader hands a secret over at the start, before any student code runs.
A check that passes signs with it, out of sight, and a check without its signature earns nothing.
When nobody grades, there is no secret and no receipt.
"""

import hmac
import os

SECRET_VARIABLE = "RNN_LIB_CHECK_SECRET"
MIME_TYPE = "application/vnd.rnn-lib.receipt"


def sign(secret: str, exercise: str) -> str:
    """Return the signature under one exercise.

    Parameters
    ----------
    secret : str
        What the grader handed over.
    exercise : str
        The name of the function that was checked.

    Returns
    -------
    str
        Nobody without the secret can guess it.
    """
    return hmac.new(secret.encode(), exercise.encode(), "sha256").hexdigest()


# Taken away, so that student code does not find it by chance.
_secret = os.environ.pop(SECRET_VARIABLE, "")
is_graded = bool(_secret)
if is_graded:
    # Imported only when graded, since it takes time, and now, before anybody can exchange it.
    from IPython.display import publish_display_data


def issue(exercise: str) -> None:
    """Send the receipt for one exercise to the grader, if there is one.

    Parameters
    ----------
    exercise : str
        The name of the function that was checked.
    """
    if is_graded:
        publish_display_data({MIME_TYPE: sign(_secret, exercise)})
