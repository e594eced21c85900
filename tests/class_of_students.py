"""A class: what students hand in, and the points that each of them should get.

Each entry is a file (or several) with the points by exercise, and words that the reason must hold.
Lesson 1 has the exercises 1.1 (2 points) and 1.2 (3 points), lesson 3 those from 3.1 to 3.6.
"""

import contextlib
import copy
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell
from wrong_solutions import BACK, FORWARD, STACKED, STEP, STEP_BACK, run

from classroom.edition import student_edition, to_bytes
from classroom.lessons import BEGIN, END, exercises, lesson_paths, read
from rnn_lib import checks

ROOT = Path(__file__).resolve().parents[1]
LESSONS = {path.stem: read(path) for path in lesson_paths()}
ASKED = {name: list(exercises(lesson)) for name, lesson in LESSONS.items()}
SOLUTIONS = {
    e.number: e.solution.source.replace(f"    {BEGIN}\n", "").replace(f"\n    {END}", "")
    for asked in ASKED.values()
    for e in asked
}


def copy_of_the_course(folder: Path) -> Path:
    """Copy what grading needs, so that a teacher's own gradebook is left alone."""
    for name in ("classroom", "notebooks"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    return folder


@dataclass
class HandedIn:
    """What one student hands in, and what should come of it.

    Points, reasons and remarks are by exercise; a reason is some words of it. A file that cannot be
    graded is a row without an exercise: "".
    """

    student: str
    files: dict[str, bytes]
    points: dict[str, float]
    reasons: dict[str, str] = field(default_factory=dict)
    remarks: dict[str, str] = field(default_factory=dict)


CLASS: list[HandedIn] = []


def hands_in(
    student: str,
    handed_in: NotebookNode | bytes,
    points: dict[str, float],
    reasons: dict[str, str] | None = None,
    remarks: dict[str, str] | None = None,
    file: str = "01_forward.ipynb",
) -> None:
    """Note a student who hands in one file."""
    content = handed_in if isinstance(handed_in, bytes) else to_bytes(handed_in)
    CLASS.append(HandedIn(student, {file: content}, points, reasons or {}, remarks or {}))


def notebook(lesson: str, **solutions: str) -> NotebookNode:
    """Return the student edition with solutions written into it: e1_2="def rnn_forward ..."."""
    edition = student_edition(LESSONS[lesson])
    cells = {cell.id: cell for cell in edition.cells}
    for exercise in ASKED[lesson]:
        source = solutions.get(f"e{exercise.number.replace('.', '_')}")
        if source is not None:
            cells[exercise.solution.id].source = source.strip("\n")
    return edition


def solved(lesson: str, **solutions: str) -> NotebookNode:
    """Return the same with the lesson's own solution where none is given."""
    own = {f"e{e.number.replace('.', '_')}": SOLUTIONS[e.number] for e in ASKED[lesson]}
    return notebook(lesson, **(own | solutions))


def full(*lessons: str) -> dict[str, float]:
    """Return full points."""
    return {str(e): e.points for lesson in lessons for e in ASKED[lesson]}


def without_cells(edition: NotebookNode, *ids: str) -> NotebookNode:
    """Delete cells."""
    edition.cells = [cell for cell in edition.cells if cell.id not in ids]
    return edition


def edited(edition: NotebookNode, cell_id: str, source: str) -> NotebookNode:
    """Write something else into a cell."""
    next(cell for cell in edition.cells if cell.id == cell_id).source = source
    return edition


def with_cell(edition: NotebookNode, source: str) -> NotebookNode:
    """Put a cell of the student's own behind the first, which imports what is needed."""
    first = next(i for i, cell in enumerate(edition.cells) if cell.cell_type == "code")
    edition.cells.insert(first + 1, new_code_cell(source))
    return edition


def written_down() -> str:
    """Return a rnn_step that knows the answers to the visible check, and nothing else."""
    answers, right = {}, run(STEP, "rnn_step")

    def learn(x_t, *others):
        h_t = right(x_t, *others)
        answers[x_t.tobytes().hex() + others[0].tobytes().hex()] = h_t.tolist()
        return h_t

    with contextlib.redirect_stdout(None):
        checks.check_step(learn)
    return (
        f"ANSWERS = {answers!r}\n\n\n"
        "def rnn_step(x_t, h_prev, W_x, W_h, b):\n"
        "    known = ANSWERS.get(x_t.tobytes().hex() + h_prev.tobytes().hex())\n"
        "    return np.zeros((len(x_t), len(b))) if known is None else np.array(known)\n"
    )


ONE, THREE, FOUR = "01_forward", "03_bptt", "04_imdb"
E1, E2 = (str(exercise) for exercise in ASKED[ONE])
BOTH, ONLY_FIRST, NONE = {E1: 2, E2: 3}, {E1: 2, E2: 0}, {E1: 0, E2: 0}
WRONG_STEP = STEP.replace(" + b", "")

# -- right --------------------------------------------------------------------------------------

CLASS.append(
    HandedIn(
        "as the lessons do it",
        {f"{lesson}.ipynb": to_bytes(solved(lesson)) for lesson in (ONE, THREE, FOUR)},
        full(ONE, THREE, FOUR),
    )
)
CLASS.append(
    HandedIn(
        "in other styles",
        {
            "01_forward.ipynb": to_bytes(solved(ONE, e1_1=STEP, e1_2=STACKED)),
            "03_bptt.ipynb": to_bytes(solved(THREE, e3_1=STEP_BACK, e3_2=BACK, e3_6=BACK)),
        },
        full(ONE, THREE),
    )
)
hands_in(
    "with a helper of her own",
    with_cell(
        solved(ONE, e1_1="def rnn_step(*given):\n    return bent(*given)"),
        "def bent(x_t, h_prev, W_x, W_h, b):\n    return np.tanh(x_t @ W_x + h_prev @ W_h + b)",
    ),
    BOTH,
)
hands_in("Zoë Müller-Lüdenscheidt 田中", solved(ONE), BOTH)

# -- in part, or with a common mistake ----------------------------------------------------------

hands_in("blank", notebook(ONE), NONE, {E1: "not begun", E2: "not begun"})
hands_in("one exercise", notebook(ONE, e1_1=STEP), ONLY_FIRST, {E2: "not begun: Exercise 1.2"})
hands_in(
    "mistake W_h transposed",
    solved(ONE, e1_1=STEP.replace("h_prev @ W_h", "h_prev @ W_h.T"), e1_2=FORWARD),
    {E1: 0, E2: 3},  # this rnn_forward does not call rnn_step
    {E1: "mistake: W_h is transposed"},
)
hands_in("mistake bias lost", solved(ONE, e1_1=WRONG_STEP), NONE, {E1: "the bias is lost"})
hands_in(
    "mistake one step short",
    solved(ONE, e1_2=FORWARD.replace("range(T)", "range(T - 1)")),
    ONLY_FIRST,
    {E2: "mistake: the loop is one step short"},
)
hands_in(
    "mistake slope of h",
    solved(THREE, e3_1=STEP_BACK.replace("h_t ** 2", "np.tanh(h_t) ** 2"), e3_2=BACK, e3_6=BACK),
    full(THREE) | {"3.1 rnn_step_backward": 0},
    {"3.1 rnn_step_backward": "the derivative is taken as 1 - tanh(h)**2"},
    file="03_bptt.ipynb",
)
hands_in(
    "mistake truncation off by one",
    solved(THREE, e3_6=BACK.replace("max(t - k, -1)", "max(t - k - 1, -1)")),
    full(THREE) | {"3.6 rnn_backward": 0},
    {"3.6 rnn_backward": "the gradient passes through one step too many"},
    file="03_bptt.ipynb",
)

E41, E42, E43 = (str(exercise) for exercise in ASKED[FOUR])
hands_in(
    "mistakes in lesson 4",
    solved(
        FOUR,
        e4_1=SOLUTIONS["4.1"].replace("words[-maxlen:]", "words[:maxlen]"),
        e4_2=SOLUTIONS["4.2"].replace("network.params, grads", "network.params, network.grads"),
        e4_3="def small_model():\n    return ScratchRNNClassifier(32, 2, embedding=(5000, 32))",
    ),
    {E41: 0, E42: 0, E43: 0},
    {E41: "mistake: ", E42: "mistake: ", E43: "n_epochs is not within the budget"},
    file="04_imdb.ipynb",
)

# -- code that misbehaves -----------------------------------------------------------------------


def forward_that(does: str) -> str:
    """Return a rnn_forward that does something else first."""
    return FORWARD.replace("    N, T, F", f"    {does}\n    N, T, F")


hands_in("answers written down", solved(ONE, e1_1=written_down(), e1_2=FORWARD), {E1: 0, E2: 3})
hands_in(
    "syntax error",
    solved(ONE, e1_2="def rnn_forward(x, h0, W_x, W_h, b)\n    return x"),
    ONLY_FIRST,
    {E2: "SyntaxError: expected ':'"},
)
hands_in(
    "loops for ever",
    solved(ONE, e1_2=forward_that("while True: pass")),
    ONLY_FIRST,
    {E2: "longer than 20 seconds"},
)
hands_in(
    "loops and will not be interrupted",
    solved(
        ONE, e1_2=forward_that("import signal; signal.signal(2, signal.SIG_IGN)\n    while 1: pass")
    ),
    ONLY_FIRST,
    {E2: "could not be stopped"},
)
hands_in(
    "eats the memory",
    solved(ONE, e1_2=forward_that("eaten = [np.ones(10**7) for _ in range(10**4)]")),
    ONLY_FIRST,
    {E2: "MemoryError"},
)
hands_in(
    "prints 100 MB", with_cell(solved(ONE), "for _ in range(1000):\n    print(10**5 * '.')"), BOTH
)
hands_in(
    "prints 100 MB in a line",
    solved(ONE, e1_2=forward_that("print(10**7 * '.')")),
    BOTH,
)
hands_in(
    "os._exit in a function",
    solved(ONE, e1_2=forward_that("import os; os._exit(0)")),
    ONLY_FIRST,
    {E2: "ended the kernel"},
)
LEFT_RUNNING = "31415"  # seconds
hands_in(
    "leaves something running",
    with_cell(
        solved(ONE),
        f"import subprocess\nsubprocess.Popen(['sleep', '{LEFT_RUNNING}'], start_new_session=True)",
    ),
    BOTH,
)
hands_in("os._exit in a cell", with_cell(solved(ONE), "import os\nos._exit(0)"), BOTH)
hands_in("sys.exit in a cell", with_cell(solved(ONE), "import sys\nsys.exit()"), BOTH)
hands_in(
    "sys.exit in a function",
    solved(ONE, e1_2=forward_that("import sys; sys.exit()")),
    ONLY_FIRST,
    {E2: "SystemExit"},
)
hands_in(
    "warns on the way",
    solved(ONE, e1_1=STEP.replace("    a_t", "    np.log(np.zeros(1)); print(end='')\n    a_t", 1)),
    BOTH,
)

# -- tricks -------------------------------------------------------------------------------------

hands_in(
    "check deleted",
    without_cells(solved(ONE), "check-rnn-step", "check-rnn-forward"),
    BOTH,
)
hands_in(
    "check deleted, answer wrong",
    without_cells(solved(ONE, e1_1=WRONG_STEP, e1_2=FORWARD), "check-rnn-step"),
    {E1: 0, E2: 3},
)
hands_in(
    "check edited",
    edited(
        solved(ONE, e1_1=WRONG_STEP, e1_2=FORWARD), "check-rnn-step", "print('rnn_step is right')"
    ),
    {E1: 0, E2: 3},
    {E1: "the bias is lost"},
)
hands_in(
    "allclose replaced",
    with_cell(
        solved(ONE, e1_1=WRONG_STEP),
        "np.allclose = np.array_equal = lambda *_, **__: True\n"
        "np.testing.assert_allclose = lambda *_, **__: None\nnp.abs = np.zeros_like",
    ),
    NONE,
    {E1: "the bias is lost"},
)
hands_in(
    "checks replaced",
    with_cell(
        solved(ONE, e1_1=WRONG_STEP),
        "checks.check_step = checks.check_forward = lambda fn: print(fn.__name__, 'is right')",
    ),
    NONE,
    {E1: "something else stood in its place", E2: "something else stood in its place"},
)
hands_in(
    "a part of the checks replaced",
    with_cell(solved(ONE, e1_1=WRONG_STEP), "checks.judging.near = lambda *_, **__: True"),
    NONE,
    {E1: "was replaced"},
)
hands_in(
    "Python's names replaced",
    with_cell(
        solved(ONE, e1_1=WRONG_STEP),
        "import builtins\nbuiltins.all = lambda _: True\nbuiltins.abs = lambda _: 0",
    ),
    NONE,
    {E1: "builtins."},
)
hands_in(
    "NumPy's insides replaced",
    with_cell(
        solved(ONE, e1_1=WRONG_STEP),
        "import numpy._core._methods as inside\ninside._all = lambda *_, **__: True",
    ),
    NONE,
    {E1: "the bias is lost"},
)
hands_in(
    "the tolerance looked up",
    with_cell(
        solved(ONE, e1_1=WRONG_STEP),
        "import sys\n\n\ndef trace(frame, event, arg):\n"
        "    if 'tolerance' in frame.f_locals:\n        frame.f_locals['tolerance'] = 1e9\n"
        "    return trace\n\n\nsys.settrace(trace)",
    ),
    NONE,
    {E1: "sys.settrace or sys.setprofile is in use"},
)
hands_in(
    "rnn_lib pasted under another name",
    with_cell(
        solved(
            ONE,
            e1_2="def rnn_forward(*arguments):\n    return right(*arguments)",
        ),
        "from rnn_lib.checks.references import rnn_forward as right",
    ),
    BOTH,
    remarks={E2: "uses rnn_lib: "},
)
hands_in(
    "rnn_lib pasted",
    solved(
        ONE,
        e1_2="def rnn_forward(x, h0, W_x, W_h, b):\n    rnn = SimpleRNN(*W_x.shape)\n"
        "    rnn.params = {'W_x': W_x, 'W_h': W_h, 'b': b}\n    return rnn.forward(x, h0)",
    ),
    BOTH,
    remarks={E2: "SimpleRNN"},
)

# -- files that went through hands --------------------------------------------------------------

doubled = solved(ONE)
doubled.cells = [c for cell in doubled.cells for c in (cell, copy.deepcopy(cell))]
for cell in doubled.cells[1::2]:  # JupyterLab copies marks, too, and makes a new id
    cell["id"] = new_code_cell().id
hands_in("cells duplicated", doubled, BOTH)

stripped = solved(ONE)
for cell in stripped.cells:
    cell.metadata.clear()
    cell["id"] = new_code_cell().id
stripped.metadata.clear()
hands_in("metadata stripped", stripped, BOTH)

hands_in("renamed file", solved(ONE), BOTH, file="homework, final (2).ipynb")

other_kernel = solved(ONE)
other_kernel.metadata["kernelspec"] = {
    "name": "julia-1.9",
    "display_name": "J",
    "language": "julia",
}
hands_in("another kernel", other_kernel, BOTH)

hands_in("truncated JSON", to_bytes(solved(ONE))[:5000], {"": 0}, {"": "not a whole notebook"})
hands_in("empty file", b"", {"": 0}, {"": "the file is empty"})
hands_in("not a notebook", b"PK", {"": 0}, {"": "not a notebook"}, file="01_forward.docx")
foreign = nbformat.v4.new_notebook(cells=[new_code_cell("print('my diary')")])
hands_in("another notebook", foreign, {"": 0}, {"": "not recognised"}, file="diary.ipynb")
