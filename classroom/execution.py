"""Run a student's notebook, whatever its code does.

Student code loops forever, exhausts the memory, prints a gigabyte, or ends the process. Each of
these costs the points of the cells that depend on it, and no others: a cell that takes too long is
interrupted, and one that kills the kernel is skipped when all the others are run again. Nothing
here is a sandbox: docs/teaching.md says what is not protected.

A check counts only with its receipt (:mod:`rnn_lib.checks.receipts`), which also says whether it
earns half the points: a check that a student has replaced has none. A check that fails publishes
which mistake it found. This is not signed, since it explains lost points and never gives any:
students can forge the name of their own mistake, in the row of an exercise that has failed anyway.
"""

import os
import re
import secrets
import time

from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.preprocessors import Execute
from traitlets import Float, Integer, Unicode

from rnn_lib.checks import receipts
from rnn_lib.checks.problems import SEED_VARIABLE

try:
    import resource
except ImportError:  # Windows
    resource = None

_CHECKED = re.compile(r"^checks\.check_\w+\((\w+)", re.MULTILINE)
_LEFT_OUT = "\n... the rest of the output is left out ...\n"

# What a kernel does first: it takes its folder off the path, loads the checks, and puts its folder
# last, so that a student's module never takes the place of another of that name; and it forgets
# how to end itself, which exit() and quit() would have it do in the middle of the notebook.
_AT_THE_START = (
    "__import__('sys').path[:] = filter(None, __import__('sys').path)",
    "__import__('rnn_lib.checks')",
    "__import__('sys').path.append('')",
    "get_ipython().ask_exit = lambda: print('exit() ends nothing here: the notebook goes on')",
)

# One thread per kernel: notebooks are graded side by side.
_ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class KernelLost(Exception):
    """The kernel died in a cell, or would not stop."""

    def __init__(self, index: int) -> None:
        self.index = index
        super().__init__(f"kernel lost in cell {index}")


class BoundedExecute(Execute):
    """nbgrader's execution with bounds on time, memory and output, and with receipts."""

    seed = Unicode("", help="What the checks draw their problems from").tag(config=True)
    memory = Float(4.0, help="Gigabytes that a kernel may ask for (Linux)").tag(config=True)
    total_time = Integer(900, help="Seconds for a whole notebook").tag(config=True)
    largest_output = Integer(1_000_000, help="Characters kept of a cell's output").tag(config=True)
    shutdown_kernel = "immediate"

    def preprocess(self, nb, resources=None, km=None):
        """Run all cells down to the last check; what stands below it cannot change a grade."""
        checks = [index for index, cell in enumerate(nb.cells) if _is_check(cell)]
        self._last = checks[-1] if checks else -1
        self._deadline = time.monotonic() + self.total_time
        self._lost: set[int] = set()
        starts_left = 3
        while True:
            self._secret = secrets.token_hex()
            try:
                return super().preprocess(nb, resources, km)
            except KernelLost as lost:
                self._lost.add(lost.index)
            except RuntimeError:  # it died as it started: two kernels chose the same port
                starts_left -= 1
                if not starts_left:
                    raise

    def start_new_kernel(self, **kwargs):
        """Start a kernel that knows seed and secret, and has loaded the checks before all else."""
        grading = {SEED_VARIABLE: self.seed, receipts.SECRET_VARIABLE: self._secret}
        kwargs["env"] = os.environ | _ONE_THREAD | grading
        self.extra_arguments = [f"--IPKernelApp.exec_lines={line}" for line in _AT_THE_START]
        super().start_new_kernel(**kwargs)
        if hasattr(resource, "prlimit"):
            limit = int(self.memory * 1e9)
            resource.prlimit(self.km.provisioner.pid, resource.RLIMIT_AS, (limit, limit))

    def preprocess_cell(self, cell, resources, index):
        """Run one cell; its outputs tell the result."""
        if cell.cell_type != "code" or index > self._last:
            return cell, resources
        cell.outputs, self._n_characters = [], 0
        self._receipt = self._finding = None
        if index in self._lost:
            _add_error(cell, "KernelLost", "this cell ended the kernel, or could not be stopped")
            return cell, resources
        if time.monotonic() > self._deadline:
            _add_error(cell, "NotRun", f"the notebook had used up its {self.total_time} seconds")
            return cell, resources
        try:
            cell, resources = super().preprocess_cell(cell, resources, index)
        except Exception:  # dead, unresponsive, or sending malformed messages
            raise KernelLost(index) from None
        if _is_check(cell):
            self._judge(cell)
        return cell, resources

    def _get_timeout(self, cell):
        left = max(1, self._deadline - time.monotonic())
        return min(self.timeout or left, left)

    async def _async_handle_timeout(self, timeout, cell=None):
        message = f"this cell took longer than {timeout:.0f} seconds"
        self.error_on_timeout = {
            "ename": "CellTimeoutError",
            "evalue": message,
            "traceback": [f"CellTimeoutError: {message}"],
        }
        return await super()._async_handle_timeout(timeout, cell)

    def process_message(self, msg, cell, cell_index):
        """Keep a cell's output, up to a limit; take out what its check tells the grader."""
        content = msg["content"]
        if msg["msg_type"] == "error":
            content["evalue"] = content["evalue"][:10_000]
            content["traceback"] = [line[:10_000] for line in content["traceback"]]
        elif msg["msg_type"] == "stream" or "data" in content:
            data = content.get("data", {})
            if receipts.MIME_TYPE in data:
                self._receipt = data[receipts.MIME_TYPE]
                return None
            if receipts.FINDING_MIME_TYPE in data:  # the last one is the check's own
                self._finding = data[receipts.FINDING_MIME_TYPE]
                return None
            had_room = self._n_characters < self.largest_output
            self._n_characters += len(content.get("text", "")) + sum(
                map(len, map(str, data.values()))
            )
            if self._n_characters > self.largest_output:
                if had_room:
                    cell.outputs.append(new_output("stream", name="stdout", text=_LEFT_OUT))
                return None
        return super().process_message(msg, cell, cell_index)

    def _judge(self, cell: NotebookNode) -> None:
        """Reduce the outputs of a check to those that nbgrader should read."""
        errors = [output.ename for output in cell.outputs if output.output_type == "error"]
        checked = _CHECKED.search(cell.source)
        whole, half = (
            receipts.sign(self._secret, checked[1] if checked else "", in_part)
            for in_part in (False, True)
        )
        if errors[-1:] == ["CheckFailed"]:
            cell.metadata["mistake"] = _mistake(self._finding)
        elif not errors and self._receipt not in (whole, half):
            _add_error(
                cell, "CheckReplaced", "this check was not run: something else stood in its place"
            )
        # nbgrader takes a warning for a failure, and a displayed number for a grade.
        cell.outputs = [o for o in cell.outputs if o.output_type in ("stream", "error")]
        for output in cell.outputs:
            if output.output_type == "stream":
                output.name = "stdout"
        if not errors and self._receipt == half:
            points = f"{cell.metadata.nbgrader.points / 2:g}"
            cell.outputs.append(new_output("execute_result", data={"text/plain": points}))


def _is_check(cell: NotebookNode) -> bool:
    return bool(cell.metadata.get("nbgrader", {}).get("grade"))


def _mistake(finding: object) -> str:
    """Return the mistake that a finding names, in one line; a student can publish anything."""
    mistake = finding.get("mistake") if isinstance(finding, dict) else None
    return " ".join(mistake.split())[:500] if isinstance(mistake, str) else ""


def _add_error(cell: NotebookNode, name: str, message: str) -> None:
    text = f"{name}: {message}"
    cell.outputs.append(new_output("error", ename=name, evalue=message, traceback=[text]))
