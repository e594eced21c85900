"""A check across the pipe, without processes: both ends in one, a thread each."""

import ast
import contextlib
import io
import queue
import threading
import warnings

from classroom.crossing import End, Ended
from classroom.judging import judge


class Pipe:
    """What the two ends say to each other; `messages` has all that crossed."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self._queues = queue.Queue(), queue.Queue()

    def end(self, is_grader: bool) -> End:
        """Return one end."""
        own, other = self._queues[is_grader], self._queues[not is_grader]

        def send(message: bytes) -> None:
            self.messages.append(message)
            other.put(message)

        def receive() -> bytes:
            message = own.get(timeout=60)
            if message is None:
                raise Ended
            return message

        return End(send, receive, is_grader)

    def hang_up(self) -> None:
        """Let both ends notice that nobody is there any more."""
        for waiting in self._queues:
            waiting.put(None)


def judged(check: str, *given: object, seed: str = "", pipe: Pipe | None = None) -> str:
    """Run a check, written as in a lesson, across the pipe; return what a student reads."""
    pipe = pipe or Pipe()

    def serve() -> None:
        with contextlib.suppress(Ended), warnings.catch_warnings(action="ignore"):
            pipe.end(is_grader=False).serve(*given)

    student = threading.Thread(target=serve, daemon=True)
    student.start()
    try:
        verdict = judge(ast.parse(check, mode="eval").body, pipe.end(is_grader=True), seed)
    finally:
        pipe.hang_up()
        student.join()
    return verdict.printed or f"{type(verdict.error).__name__}: {verdict.error}"


def asked(check, function) -> str:
    """Run a check as a student does; return the same."""
    with (
        contextlib.redirect_stdout(io.StringIO()) as printed,
        warnings.catch_warnings(action="ignore"),
    ):
        try:
            check(function)
        except Exception as error:
            return f"{type(error).__name__}: {error}"
    return printed.getvalue()
