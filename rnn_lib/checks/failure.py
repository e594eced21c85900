"""The exception that a failed check raises. How its message is written is not known here."""


class CheckFailed(AssertionError):
    """A check found something wrong; the message is for the student, the attributes for programs.

    Attributes
    ----------
    quantity : str or None
        The first quantity (or argument) that is wrong; None if the function gave no answer at all.
    mistake : str or None
        What was done wrong, in the words of the message; None if no known mistake explains it.
        Several mistakes, each in another quantity, are joined by ``"; "``.
    section : str or None
        Where to read again; None if that would not help.
    """

    def __init__(
        self,
        message: str,
        quantity: str | None = None,
        mistake: str | None = None,
        section: str | None = None,
    ) -> None:
        super().__init__(message)
        self.quantity, self.mistake, self.section = quantity, mistake, section
