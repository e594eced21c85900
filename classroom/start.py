"""Write the student edition and open its first lesson in JupyterLab.

    python -m classroom.start

Lessons on which somebody has worked stay as they are; the others are renewed. The environment
variable ``RNN_LIB_LANG``, such as ``ja``, says in which language; the checks then speak it, too.
"""

import os
import subprocess
import sys

from classroom.edition import STUDENT, editions
from classroom.files import WorkedOn, write_generated
from classroom.lessons import language_asked_for


def write() -> None:
    """Write the lessons that nobody has worked on yet to build/student/."""
    contents = editions(language=language_asked_for())
    try:
        write_generated(STUDENT, contents)
    except WorkedOn as work:
        for path in work.paths:
            del contents[path.name]
        write_generated(STUDENT, contents)


def main() -> None:
    """Write them, and open the first."""
    try:
        write()
    except (OSError, ValueError) as error:
        sys.exit(f"The lessons could not be written. {error}")
    # Jupyter refuses to run as root, which is what one is in most containers, unless told to.
    is_root = getattr(os, "geteuid", lambda: None)() == 0
    command = [sys.executable, "-m", "jupyterlab", *["--allow-root"] * is_root]
    sys.exit(subprocess.call([*command, *sys.argv[1:], str(STUDENT / "01_forward.ipynb")]))


if __name__ == "__main__":
    main()
