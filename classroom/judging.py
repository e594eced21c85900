"""Judge a student's function outside of the student's process.

The check runs here, in the grader's own process, and is the one that students know. In place of the
student's function it is given one that asks the kernel, through the pipe (:mod:`crossing`). What is
checked, and how, is read from the lesson's own cell; from the kernel come only the values that it
names. So neither the numbers that a check expects nor its verdict ever are where student code is.
"""

import ast
import contextlib
import io
import os
from dataclasses import dataclass

from threadpoolctl import threadpool_limits

from classroom.crossing import End
from rnn_lib import checks
from rnn_lib.checks import checking
from rnn_lib.checks.problems import SEED_VARIABLE
from rnn_lib.language import translated


@dataclass
class Verdict:
    """What a check says.

    Attributes
    ----------
    printed : str
        The line that it prints.
    is_half : bool
        Whether it earns half the points.
    error : Exception, optional
        What it raises, if it fails.
    """

    printed: str = ""
    is_half: bool = False
    error: Exception | None = None

    @property
    def mistake(self) -> str:
        """The mistake that it names, if any."""
        return getattr(self.error, "mistake", None) or ""

    @property
    def traceback(self) -> list[str]:
        """What a notebook shows of the error: where the student's code stopped, and the message."""
        where = getattr(self.error.__cause__, "trace", "")
        return [*where.splitlines(), f"{type(self.error).__name__}: {self.error}"]


def called_check(source: str) -> ast.Call | None:
    """Find the call ``checks.check_...(...)`` in a cell, None if there is none."""
    with contextlib.suppress(SyntaxError, ValueError):
        for node in ast.walk(ast.parse(source)):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name("checks"), attr=name)):
                    if name.startswith("check_") and name in checks.__all__:
                        return node
    return None


def judge(check: ast.Call, end: End, seed: str) -> Verdict:
    """Run a check.

    Parameters
    ----------
    check : Call
        The lesson's own; its names are asked for, in the student's notebook.
    end : End
        The grader's.
    seed : str
        What the check draws its problems from, "" for those that students see.

    Raises
    ------
    Ended
        If the student's process gives no answer.
    """
    given = end.answer()
    names = {
        arg.id: value
        for arg, value in zip(check.args, given, strict=False)
        if isinstance(arg, ast.Name)
    }
    code = compile(ast.Expression(check), "<check>", "eval")
    os.environ[SEED_VARIABLE] = seed
    try:
        with contextlib.redirect_stdout(io.StringIO()) as printed, threadpool_limits(1):
            eval(code, {"checks": checks} | names)
    except Exception as error:
        return Verdict(error=error)
    finally:
        del os.environ[SEED_VARIABLE]
        with contextlib.suppress(OSError):
            end.end()
    text = printed.getvalue()
    return Verdict(text, f"{translated(checking.HALF)}: " in text)
