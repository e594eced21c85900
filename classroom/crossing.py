"""What crosses the pipe between the grader and a student's process: plain values, and calls.

Each end can call functions of the other. Numbers, texts, tuples, arrays, lists and dicts cross as
what they are, in JSON; nothing is pickled, and whatever an end sends, the other makes nothing of it
but these. Arrays, lists, dicts and random generators stay the same objects on both sides: each
message also tells what has changed in them since the last one, so that a function which writes
into its arguments, or into an array that it returned before, is seen to. Everything else stays
where it is, and a stand-in crosses, with which it can be called. Settings of the library cross as
a name and plain fields.
"""

import base64
import builtins
import inspect
import itertools
import json
import linecache
import operator
import struct
import sys
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from types import CodeType, FunctionType, GeneratorType, MethodType, TracebackType
from typing import BinaryIO

import numpy as np

LARGEST = 50_000_000
"""Bytes of the largest message."""

ADDRESS, KEY = "RNN_LIB_GRADER", "RNN_LIB_GRADER_KEY"
"""Environment variables: where a kernel finds the way out, and the key to it."""

_ATOMS = (type(None), bool, int, float, str)
_CONTAINERS = (np.ndarray, list, dict, np.random.Generator)
_NOWHERE = 10**6  # a line that no cell has

# Of earlier calls: a check compares few, but it and the student's function may make thousands. Both
# ends see them in one order, and so forget the same ones.
_MOST_HELD = 50


class Ended(BaseException):
    """The other end is gone, or sends what cannot be read: no answer will come."""


# -- bytes ----------------------------------------------------------------------------------------


def write_frame(pipe: BinaryIO, kind: bytes, index: int, content: bytes = b"") -> None:
    """Write one message: its kind, one byte, and the index of the cell that it is about."""
    pipe.write(struct.pack("<cIQ", kind, index, len(content)) + content)
    pipe.flush()


def read_frame(pipe: BinaryIO) -> tuple[bytes, int, bytes]:
    """Read one message.

    Raises
    ------
    Ended
        If there is none left, or it is too large.
    """
    head = pipe.read(struct.calcsize("<cIQ"))
    if len(head) < struct.calcsize("<cIQ"):
        raise Ended
    kind, index, size = struct.unpack("<cIQ", head)
    content = pipe.read(size) if size <= LARGEST else b""
    if len(content) < size:
        raise Ended
    return kind, index, content


# -- calls ----------------------------------------------------------------------------------------


class End:
    """One of the two ends of a check.

    Parameters
    ----------
    send : callable
        ``send(message)``, bytes.
    receive : callable
        ``receive() -> message``; raises Ended if there is none.
    is_grader : bool
        Which end this is. Of the grader's objects the student's code can call the functions that
        it is given; it can read and set public attributes of the checks' networks, losses and
        optimizers, and nothing else.
    """

    def __init__(
        self, send: Callable[[bytes], None], receive: Callable[[], bytes], is_grader: bool
    ) -> None:
        self._send, self._receive, self._is_grader = send, receive, is_grader
        self._next = itertools.count(int(is_grader), 2)  # the two ends give different numbers
        self._objects: dict[int, object] = {}
        self._numbers: dict[int, int] = {}  # by the object's id
        self._held: dict[int, object] = {}  # what containers held when they last crossed
        self._depth = 0
        # An array of an outermost call may be written into by a later one; nobody needs the rest
        # once the outermost call has returned.
        self._lasting: deque[int] = deque()  # arrays of outermost calls
        self._passing: list[int] = []
        self._nested: deque[int] = deque()  # of what passes: containers of calls within a call

    def call(self, number: int, what: str, args: tuple = (), kwargs: dict | None = None) -> object:
        """Call something at the other end; meanwhile its calls to this end are answered.

        Parameters
        ----------
        number : int
            The object.
        what : {"()", "iter", "next", "get", "set"}
            What to do with it.
        args, kwargs
            For it.

        Raises
        ------
        Ended
            If no answer comes.
        Exception
            What the other end stopped with.
        """
        message = {"call": number, "what": what}
        if self._is_grader:
            message["errstate"] = np.geterr()
        self._post(message, args=args, kwargs=tuple((kwargs or {}).items()))
        self._depth += 1
        try:
            while "call" in (message := self._read()):
                self._serve(message)
        finally:
            self._depth -= 1
        try:
            return self.answer(message)
        finally:
            self._forget()

    def answer(self, message: dict | None = None) -> object:
        """Return what the other end answers."""
        message = message or self._read()
        with _readable():
            self._take_changes(message)
            if "error" not in message:
                return self._decode(message["value"])
            error = _error(message["error"])
        raise error

    def serve(self, *first: object) -> None:
        """Answer, with these values at first, and then whatever is called, until told to end."""
        self._post({}, value=first)
        while "end" not in (message := self._read()):
            self._serve(message)

    def end(self) -> None:
        """Tell the other end that nothing will be called any more."""
        self._post({"end": True})

    def _serve(self, message: dict) -> None:
        with _readable():
            self._take_changes(message)
            args, kwargs = self._decode(message["args"]), dict(self._decode(message["kwargs"]))
            target = self._objects[message["call"]]
        self._depth += 1
        try:
            with np.errstate(**message.get("errstate", {})):
                answer = {"value": self._do(target, message["what"], *args, **kwargs)}
        except Exception as error:
            answer = {"error": self._described(error, target)}
        finally:
            self._depth -= 1
        try:
            if "error" in answer:
                self._post(answer)
            else:
                self._post({}, **answer)
        except (TypeError, ValueError, RecursionError) as error:  # more than can cross
            self._post({"error": self._described(error, target)})
        self._forget()

    def _described(self, error: Exception, target: object) -> dict:
        described = _described(error, target)
        return described | {"trace": ""} if self._is_grader else described

    def _do(self, target: object, what: str, *args: object, **kwargs: object) -> object:
        is_function = isinstance(target, (FunctionType, MethodType))
        if what == "()" and (is_function or (callable(target) and not self._is_grader)):
            return target(*args, **kwargs)
        if what == "iter" and not self._is_grader:
            return iter(target)
        if what == "next" and not self._is_grader:  # one more, or nothing
            return tuple(itertools.islice(target, 1))
        # An array, too, has public methods: such as one that writes a file.
        is_open = self._is_grader and type(target).__module__ == "rnn_lib.checks.fakes"
        if what in ("get", "set") and is_open and not args[0].startswith("_"):
            return getattr(target, *args) if what == "get" else setattr(target, *args)
        raise TypeError(f"{type(target).__name__} cannot do that")

    # -- messages

    def _post(self, message: dict, **values: object) -> None:
        """Send a message with encoded values; if they cannot cross, it is as if nothing was."""
        known = set(self._objects)
        try:
            message["changes"] = self._changes()  # the other end reads them first
            message |= {name: self._encode(value) for name, value in values.items()}
            content = json.dumps(message).encode("utf-8", "surrogatepass")
            if len(content) > LARGEST:
                raise ValueError("the numbers are too many")
        except BaseException:
            self._drop(set(self._objects) - known)
            raise
        self._send(content)

    def _read(self) -> dict:
        with _readable():
            message = json.loads(self._receive())
            if not isinstance(message, dict):
                raise TypeError
            return message

    def _changes(self) -> list:
        changes = []
        for number, held in list(self._held.items()):
            value = self._objects[number]
            if not _holds(value, held):
                self._held[number] = _held(value)
                changes.append([number, self._content(value)])
        return changes

    def _take_changes(self, message: dict) -> None:
        for number, content in message["changes"]:
            if number in self._held:
                self._fill(self._objects[number], content)
                self._held[number] = _held(self._objects[number])

    # -- values

    def _encode(self, value: object) -> object:
        if type(value) in _ATOMS:
            return value
        if (number := self._numbers.get(id(value))) is not None:
            return {"known": number}
        if isinstance(value, np.generic) and value.dtype.kind in "biufcSUmM":
            return {"scalar": _array(np.asarray(value))}
        if isinstance(value, tuple):
            return {"tuple": [self._encode(part) for part in value]}
        if setting := _setting(value):
            name, fields = setting
            return {"setting": name, "fields": {n: self._encode(v) for n, v in fields.items()}}
        number = next(self._next)
        self._remember(number, value)
        if isinstance(value, _CONTAINERS):
            return {"new": number, "content": self._content(value)}
        return {"stands for": number} | _appearance(value, with_text=not self._is_grader)

    def _content(self, value: object) -> dict:
        if isinstance(value, np.ndarray):
            return {"array": _array(value)}
        if isinstance(value, dict):
            pairs = [[self._encode(key), self._encode(part)] for key, part in value.items()]
            return {"dict": pairs}
        if isinstance(value, list):
            return {"list": [self._encode(part) for part in value]}
        return {"generator": value.bit_generator.state}

    def _decode(self, value: object) -> object:
        match value:
            case None | bool() | int() | float() | str():
                return value
            case {"known": number}:
                return self._objects[number]
            case {"scalar": content}:
                return _read_array(content)[()]
            case {"tuple": parts}:
                return tuple(self._decode(part) for part in parts)
            case {"setting": name, "fields": fields}:
                return _made(name, {n: self._decode(v) for n, v in fields.items()})
            case {"new": number, "content": content}:
                self._expect_new(number)
                made = _empty(content)
                self._remember(number, made)
                self._fill(made, content)
                self._held[number] = _held(made)
                return made
            case {"stands for": number, **appearance}:
                self._expect_new(number)
                made = self._stand_in(number, appearance)
                self._remember(number, made)
                return made
        raise TypeError(f"{value!r:.80} stands for nothing")

    def _fill(self, value: object, content: dict) -> None:
        """Write what a container holds by now into it."""
        match value, content:
            case np.ndarray(), {"array": array}:
                array = _read_array(array)
                if array.shape != value.shape and array.size == value.size:
                    value.shape = array.shape
                if array.dtype == value.dtype and array.shape == value.shape:
                    value[...] = array
            case list(), {"list": parts}:
                value[:] = [self._decode(part) for part in parts]
            case dict(), {"dict": pairs}:
                pairs = [(self._decode(key), self._decode(part)) for key, part in pairs]
                value.clear()
                value.update(pairs)
            case np.random.Generator(), {"generator": state}:
                value.bit_generator.state = state

    def _expect_new(self, number: int) -> None:
        ours = int(self._is_grader)
        if type(number) is not int or number % 2 == ours or number in self._objects:
            raise ValueError(f"{number!r:.80} is taken")

    def _remember(self, number: int, value: object) -> None:
        self._objects[number], self._numbers[id(value)] = value, number
        is_container = isinstance(value, _CONTAINERS)
        if is_container:
            self._held[number] = _held(value)
        if self._depth and is_container:
            self._nested.append(number)
        elif isinstance(value, np.ndarray):
            self._lasting.append(number)
        elif self._depth or is_container:
            self._passing.append(number)

    def _forget(self) -> None:
        if not self._depth:
            self._drop([*self._passing, *self._nested])
            self._passing.clear()
            self._nested.clear()
        for held in (self._lasting, self._nested):
            while len(held) > _MOST_HELD:
                self._drop([held.popleft()])

    def _drop(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            self._held.pop(number, None)
            if number in self._objects:
                del self._numbers[id(self._objects.pop(number))]

    # -- stand-ins

    def _stand_in(self, number: int, appearance: dict) -> object:
        """Make what stands for an object of the other end."""
        name, place = str(appearance["type"])[:100], appearance.get("place")
        if name == "function":
            return _placed(lambda *args, **kwargs: self.call(number, "()", args, kwargs), **place)

        def get(_, attribute):
            if attribute.startswith("_"):
                raise AttributeError(attribute)
            return self.call(number, "get", (attribute,))

        methods = {"__repr__": lambda _: f"<{name}>"}
        if appearance["callable"]:
            methods["__call__"] = lambda _, *args, **kwargs: self.call(number, "()", args, kwargs)
        elif appearance["iterable"]:
            methods["__iter__"] = lambda _: self._iterate(number, place)
        elif not self._is_grader:
            methods["__getattr__"] = get
            methods["__setattr__"] = lambda _, *args: self.call(number, "set", args)
        return type(name, (), methods)()

    def _iterate(self, number: int, place: dict | None) -> Iterator[object]:
        iterator = self._numbers[id(self.call(number, "iter"))]
        proceed = partial(self.call, iterator, "next")
        if place:
            proceed = _placed(proceed, **place)
        while came := proceed():
            yield came[0]


def _placed(call: Callable, name: str, file: str, source: str, first_line: int) -> Callable:
    """Make a function that has the text of the other end's, for those who read it.

    An error in it comes from the line from which it came there.
    """

    def function(*args, **kwargs):
        try:
            return call(*args, **kwargs)
        except Exception as error:
            line = getattr(error, "line", _NOWHERE)
            there = TracebackType(None, sys._getframe(), -1, line)
            raise error.with_traceback(there) from None

    file = f"<{file[:200]}>"
    linecache.cache[file] = len(source), None, source.splitlines(keepends=True), file
    function.__name__ = function.__qualname__ = name[:100]
    place = {"co_filename": file, "co_name": name[:100], "co_firstlineno": max(1, first_line)}
    function.__code__ = function.__code__.replace(**place)
    return function


class _readable:
    """Whatever is wrong with what the other end sends, there is no answer in it."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type | None, error: object, trace: object) -> None:
        if kind is not None and issubclass(kind, Exception):
            raise Ended from error


# -- arrays and containers ------------------------------------------------------------------------


def _array(array: np.ndarray) -> dict:
    if array.nbytes > LARGEST:
        raise ValueError("the numbers are too many")
    content = {"dtype": array.dtype.str, "shape": array.shape}
    if array.dtype.kind not in "biufcSUmM":  # its objects stay where they are
        return content | {"dtype": "O"}
    return content | {"bytes": base64.b64encode(array.tobytes()).decode()}


def _read_array(content: dict) -> np.ndarray:
    dtype, shape = np.dtype(str(content["dtype"])), tuple(map(operator.index, content["shape"]))
    if dtype.kind == "O":
        if np.prod(shape, dtype=object) > LARGEST // 100:
            raise ValueError("the objects are too many")
        return np.empty(shape, dtype)
    if dtype.kind not in "biufcSUmM":
        raise TypeError(f"{dtype} cannot cross")
    return np.frombuffer(base64.b64decode(content["bytes"]), dtype).reshape(shape).copy()


def _empty(content: dict) -> object:
    match content:
        case {"array": array}:
            return _read_array(array)
        case {"list": _}:
            return []
        case {"dict": _}:
            return {}
        case {"generator": _}:
            return np.random.Generator(np.random.PCG64())
    raise TypeError(f"{content!r:.80} is no container")


def _held(value: object) -> object:
    """Return what a container holds, to see later whether it still does."""
    if isinstance(value, np.ndarray):
        return value.shape, value.dtype, value.tobytes()
    if isinstance(value, (list, dict)):
        return [*value.items()] if isinstance(value, dict) else [*value]
    return value.bit_generator.state


def _holds(value: object, held: object) -> bool:
    now = _held(value)
    if not isinstance(value, (list, dict)) or len(now) != len(held):
        return now == held
    if isinstance(value, dict):
        return all(a is c and b is d for (a, b), (c, d) in zip(now, held, strict=True))
    return all(map(operator.is_, now, held))


def _appearance(value: object, with_text: bool) -> dict:
    """Say what is to be seen of an object that stays here, the text of a student's function too."""
    appearance = {"type": type(value).__name__, "callable": callable(value)}
    appearance["iterable"] = isinstance(value, Iterable)
    if isinstance(value, (FunctionType, MethodType)):
        appearance["type"] = "function"
    if code := _code(value):
        lines = "".join(linecache.getlines(code.co_filename))[:100_000] if with_text else ""
        name = getattr(value, "__name__", code.co_name)
        place = {"name": name, "file": code.co_filename, "source": lines}
        appearance["place"] = place | {"first_line": code.co_firstlineno}
    return appearance


def _code(value: object) -> CodeType | None:
    """Return the code of a function, a method or a generator."""
    match inspect.unwrap(value):
        case FunctionType() | MethodType() as function:
            return function.__code__
        case GeneratorType() as generator:
            return generator.gi_code
    return None


# -- errors ---------------------------------------------------------------------------------------


def _described(error: Exception, function: object) -> dict:
    """Say of an error what a message says: its name, its text, the line in the function's cell."""
    kinds = [kind.__name__ for kind in type(error).__mro__]
    plain = type(error).__module__ == "builtins" and all(type(a) in _ATOMS for a in error.args)
    try:
        text = str(error)[:10_000]
        trace = "".join(traceback.format_exception(error, chain=False))[-10_000:]
    except Exception:
        text = trace = ""
    code = _code(function)
    frames = traceback.walk_tb(error.__traceback__)
    lines = [n for frame, n in frames if code and frame.f_code.co_filename == code.co_filename]
    args = [a[:10_000] if isinstance(a, str) else a for a in error.args] if plain else [text]
    return {"kinds": kinds, "args": args, "line": (lines or [_NOWHERE])[-1], "trace": trace}


def _error(content: dict) -> Exception:
    """Make an error of the same name, of Python's own kind if it is one."""
    names, args = [str(name) for name in content["kinds"]], content["args"]
    for name in [*names, "Exception"]:
        known = getattr(builtins, name, None)
        if isinstance(known, type) and issubclass(known, Exception):
            kind = known if name == names[0] else type(names[0], (known,), {})
            try:
                error = kind(*args)
            except TypeError:  # it wants other arguments
                continue
            error.line, error.trace = int(content["line"]), str(content["trace"])
            return error
    raise TypeError(f"{names} are no errors")


# -- settings -------------------------------------------------------------------------------------


def _library() -> dict[str, object]:
    """Return what a setting may be made of, by name."""
    import rnn_lib  # the grader's side of this module does without until it is asked
    from rnn_lib.optimizers import LinearDecay

    names = (
        *("ScratchRNNClassifier", "SGD", "AdaGrad", "Adam", "LastState", "MeanState", "AllStates"),
        *("SimpleRNN", "LSTM", "GRU", "gaussian", "orthogonal", "uniform", "xavier", "he"),
    )
    return {name: getattr(rnn_lib, name) for name in names} | {"LinearDecay": LinearDecay}


def _setting(value: object) -> tuple[str, dict[str, object]] | None:
    """Return the name and the fields of one of the library's settings; None if it is none."""
    if isinstance(value, np.dtype) or (isinstance(value, type) and issubclass(value, np.generic)):
        return "dtype", {"name": np.dtype(value).str}
    if not type(value).__module__.startswith("rnn_lib.") and not isinstance(value, FunctionType):
        return None
    library = _library()
    if isinstance(value, FunctionType):  # uniform, or what orthogonal(0.9) has made
        maker, *inner = value.__qualname__.split(".<locals>.")
        if value.__module__ != "rnn_lib.initializers" or maker not in library:
            return None
        return maker, dict(inspect.getclosurevars(value).nonlocals) if inner else {}
    name = type(value).__name__
    if type(value) is not library.get(name):
        return ("activation", {"name": value.name}) if name == "Activation" else None
    fields = [field for field in inspect.signature(type(value)).parameters if hasattr(value, field)]
    return name, {field: getattr(value, field) for field in fields}


def _made(name: str, fields: dict[str, object]) -> object:
    """Make a setting anew."""
    if name == "dtype":
        return np.dtype(fields["name"])
    if name == "activation":
        return str(fields["name"])
    made = _library()[name]
    is_part = isinstance(made, type) and made.__name__ != "ScratchRNNClassifier"
    if is_part and any(type(value) is int and abs(value) > 1000 for value in fields.values()):
        raise ValueError(f"{name}: too large")  # a layer draws its weights at once
    if not isinstance(made, type) and not fields and name not in ("gaussian", "orthogonal"):
        return made
    return made(**fields)
