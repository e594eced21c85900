"""nbgrader's settings for this course; JupyterLab's panels and the command line read them, too."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from classroom.course import configure

configure(get_config())  # noqa: F821 - nbgrader defines it
