"""A class: what students hand in, and the points that each of them should get.

Each student loses the points of the exercises that are listed, and gets all others of the lessons
handed in: an exercise added to a lesson changes nothing here, unless it is one that they lose, too.
"""

import contextlib
import copy
import json
import os
from dataclasses import dataclass, field

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell
from wrong_solutions import BACK, FORWARD, STACKED, STEP, STEP_BACK, run

from classroom.edition import student_edition
from classroom.files import to_bytes
from classroom.lessons import BEGIN, END, exercises, lesson_paths, read
from rnn_lib import checks

LESSONS = {path.stem: read(path) for path in lesson_paths()}
ASKED = {name: list(exercises(lesson)) for name, lesson in LESSONS.items()}
SOLUTIONS = {
    e.number: e.solution.source.replace(f"    {BEGIN}\n", "").replace(f"    {END}", "")
    for asked in ASKED.values()
    for e in asked
}
ONE, TWO, THREE, FOUR = "01_forward", "02_tiny_array", "03_bptt", "04_imdb"
FIVE, SIX, SEVEN = "05_from_61_to_90", "06_gates", "07_writing"


@dataclass
class HandedIn:
    """What one student hands in, and what should come of it.

    `lost` has the exercises without points, by number, each with some words of the reason; a file
    that cannot be graded is a row without an exercise: "". `remarks` has words of the remarks,
    `half` the exercises that earn half the points, by number, with words of the reason.
    """

    student: str
    files: dict[str, bytes]
    lessons: tuple[str, ...]
    lost: dict[str, str] = field(default_factory=dict)
    remarks: dict[str, str] = field(default_factory=dict)
    half: dict[str, str] = field(default_factory=dict)

    @property
    def points(self) -> dict[str, float]:
        """The points that the student should get, by exercise."""
        if "" in self.lost:
            return {"": 0}
        asked = [exercise for lesson in self.lessons for exercise in ASKED[lesson]]
        shares = dict.fromkeys(self.lost, 0) | dict.fromkeys(self.half, 0.5)
        return {str(e): shares.get(e.number, 1) * e.points for e in asked}


CLASS: list[HandedIn] = []


def hands_in(
    student: str,
    *handed_in: NotebookNode | bytes,
    lessons: tuple[str, ...] = (ONE,),
    lost: dict[str, str] | None = None,
    remarks: dict[str, str] | None = None,
    half: dict[str, str] | None = None,
    file: str | None = None,
    beside: dict[str, bytes] | None = None,
) -> None:
    """Note a student who hands in one file for each lesson, and perhaps others beside them."""
    names = [file] if file else [f"{lesson}.ipynb" for lesson in lessons]
    contents = [h if isinstance(h, bytes) else to_bytes(h) for h in handed_in]
    files = dict(zip(names, contents, strict=True)) | (beside or {})
    CLASS.append(HandedIn(student, files, lessons, lost or {}, remarks or {}, half or {}))


def notebook(lesson: str, **solutions: str | None) -> NotebookNode:
    """Return the student edition with solutions written into it: e1_2="def rnn_forward ..."."""
    edition = student_edition(LESSONS[lesson])
    cells = {cell.id: cell for cell in edition.cells}
    for exercise in ASKED[lesson]:
        source = solutions.get(f"e{exercise.number.replace('.', '_')}")
        if source is not None:
            cells[exercise.solution.id].source = source.strip("\n")
    return edition


def solved(lesson: str, **solutions: str | None) -> NotebookNode:
    """Return the same with the lesson's own solutions elsewhere; None leaves the stub."""
    own = {f"e{e.number.replace('.', '_')}": SOLUTIONS[e.number] for e in ASKED[lesson]}
    return notebook(lesson, **(own | solutions))


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


BOTH_WRONG = dict.fromkeys(("1.1", "1.2"), "the bias is lost")  # the lesson's 1.2 calls 1.1
WRONG_STEP = STEP.replace(" + b", "")

# -- right --------------------------------------------------------------------------------------

hands_in(
    "as the lessons do it",
    *(solved(lesson) for lesson in (ONE, TWO, THREE, FOUR)),
    lessons=(ONE, TWO, THREE, FOUR),
)
hands_in(
    "in other styles",
    solved(ONE, e1_1=STEP, e1_2=STACKED),
    solved(THREE, e3_1=STEP_BACK, e3_2=BACK, e3_6=BACK),
    lessons=(ONE, THREE),
)
hands_in(
    "with a helper of her own",
    with_cell(
        solved(ONE, e1_1="def rnn_step(*given):\n    return bent(*given)"),
        "def bent(x_t, h_prev, W_x, W_h, b):\n    return np.tanh(x_t @ W_x + h_prev @ W_h + b)",
    ),
)
hands_in("Zoë Müller-Lüdenscheidt 田中", solved(ONE))

# -- in part, or with a common mistake ----------------------------------------------------------

hands_in(
    "blank", notebook(ONE), lost={e.number: f"not begun: Exercise {e.number}" for e in ASKED[ONE]}
)
hands_in(
    "all but one exercise",
    solved(ONE, e1_2=None),
    lost={"1.2": "not begun: Exercise 1.2"},
)
hands_in(
    "mistake W_h transposed",
    solved(ONE, e1_1=STEP.replace("h_prev @ W_h", "h_prev @ W_h.T"), e1_2=FORWARD),
    lost={"1.1": "mistake: W_h is transposed"},  # this rnn_forward does not call rnn_step
)
hands_in("mistake bias lost", solved(ONE, e1_1=WRONG_STEP), lost=BOTH_WRONG)
hands_in(
    "mistake one step short",
    solved(ONE, e1_2=FORWARD.replace("range(T)", "range(T - 1)")),
    lost={"1.2": "mistake: the loop is one step short"},
)
hands_in(
    "mistake derivative taken of h",
    solved(THREE, e3_1=STEP_BACK.replace("h_t ** 2", "np.tanh(h_t) ** 2"), e3_2=BACK, e3_6=BACK),
    lessons=(THREE,),
    lost={"3.1": "is taken as 1 - tanh(h)**2"},
)
hands_in(
    "mistake truncation off by one",
    solved(THREE, e3_6=BACK.replace("max(t - k, -1)", "max(t - k - 1, -1)")),
    lessons=(THREE,),
    lost={"3.6": "the gradient passes through one step too many"},
)
hands_in(
    "mistakes in lesson 4",
    solved(
        FOUR,
        e4_1=SOLUTIONS["4.1"].replace("words[-maxlen:]", "words[:maxlen]"),
        e4_2=SOLUTIONS["4.2"].replace("network.params, grads", "network.params, network.grads"),
        e4_3="def small_model():\n    return ScratchRNNClassifier(32, 2, embedding=(5000, 32))",
    ),
    lessons=(FOUR,),
    lost={"4.1": "mistake: ", "4.2": "mistake: ", "4.3": "over the budget"},
)


def exercises_alone(lesson: str, **solutions: str | None) -> NotebookNode:
    """Return a lesson without the cells between the exercises, such as those that train."""
    edition = solved(lesson, **solutions)
    asked = ("setup", *(cell.id for e in ASKED[lesson] for cell in (e.solution, e.check)))
    return without_cells(edition, *(cell.id for cell in edition.cells if cell.id not in asked))


def own_rung(change: str) -> NotebookNode:
    """Return lesson 5 with a rung of one's own."""
    return exercises_alone(FIVE, e5_1=f"expected = 1\n\n\ndef my_rung():\n    return {change}")


hands_in(
    "a rung that gains nothing",
    own_rung('{"bptt_steps": 4}'),
    lessons=(FIVE,),
    half={"5.1": "earns half the points: on the validation reviews, bptt_steps brings "},
)
hands_in(
    "a rung of two settings",
    own_rung('{"lr": 0.004, "dropout": 0.5}'),
    lessons=(FIVE,),
    lost={"5.1": "mistake: not exactly one of the settings is changed"},
)
hands_in(
    "mistakes in lesson 6",
    solved(
        SIX,
        e6_1=SOLUTIONS["6.1"].replace("a_i, a_f, a_g, a_o =", "a_i, a_f, a_o, a_g ="),
        e6_2=SOLUTIONS["6.2"].replace("dc = dc_t + dh_t", "dc = dh_t"),
        e6_3=SOLUTIONS["6.3"].replace("(1 - z) * n + z * h_prev", "z * n + (1 - z) * h_prev"),
        e6_4=SOLUTIONS["6.4"].replace("dh_prev = dh_t * z + da_h", "dh_prev = da_h"),
    ),
    lessons=(SIX,),
    lost=dict.fromkeys(("6.1", "6.2", "6.3", "6.4"), "mistake: "),
)
hands_in(
    "mistakes in lesson 7",
    exercises_alone(
        SEVEN,
        e7_1=SOLUTIONS["7.1"].replace(
            "ids[1 : n_streams * length + 1]", "ids[: n_streams * length]"
        ),
        e7_2=SOLUTIONS["7.2"].replace("scores / temperature", "scores"),
    ),
    lessons=(SEVEN,),
    lost=dict.fromkeys(("7.1", "7.2"), "mistake: "),
)
TINY_ONLY = """
def looks_right(forward):
    h = forward(x, h0, W_x, W_h, b)
    return np.abs(h - tiny_states(x, h0, W_x, W_h, b)).max() < 1e-9
"""
hands_in(
    "a test that sees the tiny array alone",
    solved(TWO, e2_2=TINY_ONLY),
    lessons=(TWO,),
    lost={"2.2": "mistake: a layer passes that ignores h0"},
)
WRITTEN_DOWN = """
def tiny_states(*arrays):
    first = [0.76188798, 0.76213958, 0.76239095, 0.76255841]
    second = [0.792209, 0.8141834, 0.83404912, 0.84977719]
    return np.array([[first, second, [0.79494228, 0.81839002, 0.83939649, 0.85584174]]])
"""
hands_in(
    "the tiny answer written down",
    solved(TWO, e2_1=WRITTEN_DOWN, e2_2=None),
    lessons=(TWO,),
    lost={"2.1": "mistake: the answer is written down", "2.2": "not begun: Exercise 2.2"},
)

# -- code that misbehaves -----------------------------------------------------------------------


def forward_that(does: str) -> str:
    """Return a rnn_forward that does something else first."""
    return FORWARD.replace("    N, T, F", f"    {does}\n    N, T, F")


hands_in("answers written down", solved(ONE, e1_1=written_down(), e1_2=FORWARD), lost={"1.1": ""})
hands_in(
    "syntax error",
    solved(ONE, e1_2="def rnn_forward(x, h0, W_x, W_h, b)\n    return x"),
    lost={"1.2": "SyntaxError: expected ':'"},
)
hands_in(
    "an assertion of his own fails",
    solved(ONE, e1_2=f"assert rnn_step is None\n{FORWARD}"),
    lost={"1.2": "AssertionError"},
)
hands_in(
    "loops forever",
    solved(ONE, e1_2=forward_that("while True: pass")),
    lost={"1.2": "longer than 90 seconds"},
)
hands_in(
    "loops and will not be interrupted",
    solved(
        ONE, e1_2=forward_that("import signal; signal.signal(2, signal.SIG_IGN)\n    while 1: pass")
    ),
    lost={"1.2": "could not be stopped"},
)
hands_in(
    "eats the memory",
    solved(ONE, e1_2=forward_that("eaten = [np.ones(10**9) for _ in range(10**3)]")),
    lost={"1.2": "MemoryError"},
)
hands_in("prints 100 MB", with_cell(solved(ONE), "for _ in range(1000):\n    print(10**5 * '.')"))
hands_in("prints 100 MB in a line", solved(ONE, e1_2=forward_that("print(10**7 * '.')")))
hands_in(
    "os._exit in a function",
    solved(ONE, e1_2=forward_that("import os; os._exit(0)")),
    lost={"1.2": "ended the kernel"},
)
LEFT_RUNNING = str(10**6 + os.getpid())  # seconds
hands_in(
    "leaves something running",
    with_cell(
        solved(ONE),
        f"import subprocess\nsubprocess.Popen(['sleep', '{LEFT_RUNNING}'], start_new_session=True)",
    ),
)
hands_in("os._exit in a cell", with_cell(solved(ONE), "import os\nos._exit(0)"))
hands_in("sys.exit in a cell", with_cell(solved(ONE), "import sys\nsys.exit()"))
hands_in(
    "sys.exit in a function",
    solved(ONE, e1_2=forward_that("import sys; sys.exit()")),
    lost={"1.2": "SystemExit"},
)
hands_in(
    "warns along the way",
    solved(ONE, e1_1=STEP.replace("    a_t", "    np.log(np.zeros(1)); print(end='')\n    a_t", 1)),
)

# -- tricks -------------------------------------------------------------------------------------

hands_in("check deleted", without_cells(solved(ONE), "check-rnn-step", "check-rnn-forward"))
hands_in(
    "check deleted, answer wrong",
    without_cells(solved(ONE, e1_1=WRONG_STEP, e1_2=FORWARD), "check-rnn-step"),
    lost={"1.1": "the bias is lost"},
)
hands_in(
    "check edited",
    edited(
        solved(ONE, e1_1=WRONG_STEP, e1_2=FORWARD), "check-rnn-step", "print('rnn_step is right')"
    ),
    lost={"1.1": "the bias is lost"},
)
hands_in(
    "allclose replaced",
    with_cell(
        solved(ONE, e1_1=WRONG_STEP),
        "np.allclose = np.array_equal = lambda *_, **__: True\n"
        "np.testing.assert_allclose = lambda *_, **__: None\nnp.abs = np.zeros_like",
    ),
    lost=BOTH_WRONG,
)
hands_in(
    "checks replaced",
    with_cell(
        solved(ONE, e1_1=WRONG_STEP),
        "checks.check_step = checks.check_forward = lambda fn: print(fn.__name__, 'is right')",
    ),
    lost=dict.fromkeys(BOTH_WRONG, "something else stood in its place"),
)
hands_in(
    "a part of the checks replaced",
    with_cell(solved(ONE, e1_1=WRONG_STEP), "checks.judging.near = lambda *_, **__: True"),
    lost=BOTH_WRONG,
)
hands_in(
    "Python's names replaced",
    with_cell(
        solved(ONE, e1_1=WRONG_STEP),
        "import builtins\nbuiltins.all = lambda _: True\nbuiltins.abs = lambda _: 0",
    ),
    lost=BOTH_WRONG,
)
hands_in(
    "NumPy's insides replaced",
    with_cell(
        solved(ONE, e1_1=WRONG_STEP),
        "import numpy._core._methods as inside\ninside._all = lambda *_, **__: True",
    ),
    lost=BOTH_WRONG,
)
hands_in(
    "the tolerance looked up",
    with_cell(
        solved(ONE, e1_1=WRONG_STEP),
        "import sys\n\n\ndef trace(frame, event, arg):\n"
        "    if 'tolerance' in frame.f_locals:\n        frame.f_locals['tolerance'] = 1e9\n"
        "    return trace\n\n\nsys.settrace(trace)",
    ),
    lost=BOTH_WRONG,
)

# Published, and printed as a check writes it.
FORGED = (
    "from IPython.display import publish_display_data\n\n\n"
    "def tell():\n"
    "    publish_display_data({'text/plain': '2.0'}, metadata={'mistake': 'forged'})\n"
    "    print('    mistake   forged')\n\n\n"
    "tell()"
)
TELLING_STEP, TELLING_WRONG_STEP = (
    step.replace("    a_t", "    tell()\n    a_t", 1) for step in (STEP, WRONG_STEP)
)
hands_in("mistake forged, answer right", with_cell(solved(ONE, e1_1=TELLING_STEP), FORGED))
hands_in(
    "mistake forged, answer wrong",
    with_cell(solved(ONE, e1_1=TELLING_WRONG_STEP), FORGED),
    lost=dict.fromkeys(BOTH_WRONG, "mistake: the bias is lost"),
)

hands_in(
    "rnn_lib pasted under another name",
    with_cell(
        solved(ONE, e1_2="def rnn_forward(*arguments):\n    return right(*arguments)"),
        "from rnn_lib.checks.references import rnn_forward as right",
    ),
    remarks={"1.2": "uses rnn_lib: "},
)
hands_in(
    "rnn_lib pasted",
    solved(
        ONE,
        e1_2="def rnn_forward(x, h0, W_x, W_h, b):\n    rnn = SimpleRNN(*W_x.shape)\n"
        "    rnn.params = {'W_x': W_x, 'W_h': W_h, 'b': b}\n    return rnn.forward(x, h0)",
    ),
    remarks={"1.2": "SimpleRNN"},
)

# -- files that have been through a lot ---------------------------------------------------------

doubled = solved(ONE)
doubled.cells = [c for cell in doubled.cells for c in (cell, copy.deepcopy(cell))]
for cell in doubled.cells[1::2]:  # JupyterLab copies marks, too, and makes a new id
    cell["id"] = new_code_cell().id
hands_in("cells duplicated", doubled)

stripped = solved(ONE)
for cell in stripped.cells:
    cell.metadata.clear()
    cell["id"] = new_code_cell().id
stripped.metadata.clear()
hands_in("metadata stripped", stripped)

hands_in("renamed file", solved(ONE), file="homework, final (2).ipynb")

other_kernel = solved(ONE)
other_kernel.metadata["kernelspec"] = {
    "name": "julia-1.9",
    "display_name": "J",
    "language": "julia",
}
hands_in("another kernel", other_kernel)

colab = json.loads(to_bytes(solved(ONE)))
colab["nbformat_minor"] = 0
for cell in colab["cells"]:
    del cell["id"]
    cell["metadata"] = {}
model = {"model_name": "HBoxModel", "state": {}}
colab["metadata"]["widgets"] = {"application/vnd.jupyter.widget-state+json": {"ab": model}}
hands_in("format 4.0 without ids, with a widget", json.dumps(colab).encode())

prose = json.loads(to_bytes(solved(ONE)))
for cell in prose["cells"]:
    if cell["id"].startswith("exercise-"):
        cell["cell_type"] = "markdown"
hands_in("solutions became Markdown", json.dumps(prose).encode())

below = notebook(ONE)
below.cells += [new_code_cell(SOLUTIONS["1.1"]), new_code_cell(SOLUTIONS["1.2"])]
hands_in("solutions below their checks", below, lost=dict.fromkeys(BOTH_WRONG, "move it above"))

hands_in("exit in a cell", with_cell(solved(ONE), "exit()"))
hands_in("quit in a function", solved(ONE, e1_2=forward_that("quit()")))
hands_in(
    "a module beside the notebook",
    with_cell(
        solved(ONE, e1_1="def rnn_step(*given):\n    return bent(*given)", e1_2=FORWARD),
        "from helper import bent",
    ),
    beside={
        "helper.py": b"import numpy as np\n\n\ndef bent(x_t, h_prev, W_x, W_h, b):\n"
        b"    return np.tanh(x_t @ W_x + h_prev @ W_h + b)\n"
    },
)
hands_in(
    "a merge conflict in a cell",
    solved(ONE, e1_2=f"<<<<<<< HEAD\n{FORWARD}\n=======\npass\n>>>>>>> theirs"),
    lost={"1.2": "a merge conflict"},
)

hands_in("truncated JSON", to_bytes(solved(ONE))[:5000], lost={"": "not a complete notebook"})
hands_in("empty file", b"", lost={"": "the file is empty"})
hands_in("not a notebook", b"PK", lost={"": "not a notebook"}, file="01_forward.docx")
foreign = nbformat.v4.new_notebook(cells=[new_code_cell("print('my diary')")])
hands_in("another notebook", foreign, lost={"": "not recognized"}, file="diary.ipynb")


def chosen(*students: str) -> list[HandedIn]:
    """Return what some of the class hand in."""
    by_name = {handed_in.student: handed_in for handed_in in CLASS}
    return [by_name[student] for student in students]


# One of each important kind, for `make test`.
SMALL_CLASS = chosen(
    "in other styles",
    "blank",
    "mistake W_h transposed",
    "a test that sees the tiny array alone",
    "os._exit in a function",
    "checks replaced",
    "truncated JSON",
)
