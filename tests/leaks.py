"""Everything that others get to see of what we do, and a search for secrets in it."""

import asyncio
import html
import json
import logging
import traceback
import warnings
import weakref
from base64 import b64encode
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from types import CodeType, CoroutineType, FrameType, FunctionType, GeneratorType, MethodType, ModuleType, TracebackType
from urllib.parse import quote, unquote

from attrs import define, field

BLOCK = 12
"""Characters of a secret that are looked for together, so that of a part with twice as many some are found."""

OPAQUE = (
    *(type, ModuleType, FunctionType, CoroutineType, GeneratorType, CodeType, FrameType, TracebackType),
    *(asyncio.AbstractEventLoop, asyncio.Task, weakref.ref),
)
"""What errors and the variables of their frames may have, and nobody writes out."""

FOREIGN = ("tests", "_pytest", "pytest", "pluggy", "kognic_aio.emulator", "aiohttp.web")
"""Modules whose frames are not ours, nor of what we call: those who use us, and servers."""


@define
class Seen:
    """What others get to see, by the place where they see it."""

    places: dict[str, set[str]] = field(factory=dict)

    def add(self, place: str, *texts: str) -> None:
        """Take in texts."""
        self.places.setdefault(place, set()).update(texts)

    def show(self, *things: object) -> None:
        """Take in how things show themselves."""
        for thing in things:
            self.add(type(thing).__name__, str(thing), repr(thing))

    def catch(self, error: BaseException) -> None:
        """Take in an error: in print, and to its depths, with all variables of the frames that it came through."""
        report = traceback.TracebackException.from_exception(error, capture_locals=False)
        known: dict[int, object] = {}
        self.add(f"{type(error).__name__} that was raised", *report.format(), *_inside(error, known))
        for each in [error, *(thing for thing in known.values() if isinstance(thing, BaseException))]:
            for frame, _ in traceback.walk_tb(each.__traceback__):
                self._look_into(frame, known)

    def _look_into(self, frame: FrameType, known: dict[int, object]) -> None:
        """Take in the variables of a frame, as error trackers do."""
        module = str(frame.f_globals.get("__name__"))
        if module.startswith(FOREIGN):
            return
        for name, value in frame.f_locals.items():
            self.add(f"`{name}` of {module}.{frame.f_code.co_qualname}", *_inside(value, known))

    def look_at_tasks(self) -> None:
        """Take in how all tasks of the running loop show themselves."""
        with suppress(RuntimeError):  # there is none in this thread
            for task in asyncio.all_tasks():
                # What it waits for shows, for one turn of the loop, what aiohttp's parser could not make sense of.
                shown, _, _ = repr(task).partition(" wait_for=<Future finished exception=")
                self.add("task", shown, task.get_name(), repr(task.get_coro()))

    @contextmanager
    def listening(self) -> Generator[None, None, None]:
        """Take in whatever is logged at any level, with the tasks that are there then, and whatever is warned of."""
        root, listener = logging.getLogger(), _Listener(self)
        level = root.level
        root.addHandler(listener)
        root.setLevel(logging.DEBUG)
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            try:
                yield
            finally:
                root.removeHandler(listener)
                root.setLevel(level)
                self.add("warning", *(f"{warning} {warning.source!r}" for warning in warned))

    def leaks(self, secrets: Mapping[str, str]) -> list[str]:
        """Which secrets are to be found, and where."""
        seen = {place: "\n".join(texts).lower() for place, texts in self.places.items()}
        parts = {name: _parts(secret) for name, secret in secrets.items()}
        return [
            f"{name} in {place}" for name in parts for place in seen if any(map(seen[place].__contains__, parts[name]))
        ]


class _Listener(logging.Handler):
    """Hears what all loggers say."""

    def __init__(self, seen: Seen) -> None:
        super().__init__(logging.NOTSET)
        self._seen = seen

    def emit(self, record: logging.LogRecord) -> None:
        self._seen.add(f"log of {record.name}", self.format(record), str(vars(record)))
        if record.exc_info and record.exc_info[1] is not None:
            self._seen.catch(record.exc_info[1])
        self._seen.look_at_tasks()


def _parts(secret: str) -> set[str]:
    """What to look for: in each form of a secret one block after the other."""
    return {
        form[start : start + BLOCK].lower()
        for form in _forms(secret)
        for start in range(0, max(1, len(form) - BLOCK + 1), BLOCK)
    }


def _forms(secret: str) -> Iterator[str]:
    """A secret as it may be written: in a URL, in JSON, in Python, in HTML, in base64."""
    plain = unquote(secret)
    yield from (secret, plain, quote(plain, safe=""), quote(plain))
    yield from (json.dumps(plain)[1:-1], repr(plain)[1:-1], html.escape(plain))
    if len(secret) < BLOCK:  # which in base64 may stand anywhere by chance
        return
    for before in range(3):  # of base64, what does not depend on what stands before and behind
        encoded = b64encode(bytes(before) + plain.encode()).decode()
        whole = encoded[(before * 8 + 5) // 6 : (before + len(plain.encode())) * 8 // 6]
        yield from (whole, whole.replace("+", "-").replace("/", "_"))


def _inside(thing: object, known: dict[int, object]) -> Iterator[str]:
    """How a thing shows itself, and all that it has."""
    if id(thing) in known or isinstance(thing, OPAQUE):
        return
    known[id(thing)] = thing
    with suppress(Exception):  # it may be half-made
        yield from (str(thing), repr(thing))
    for part in _had_by(thing):
        yield from _inside(part, known)


def _had_by(thing: object) -> Iterable[object]:
    match thing:
        case BaseException():
            return [*thing.args, vars(thing), thing.__cause__, thing.__context__, *getattr(thing, "exceptions", ())]
        case Mapping():
            return [*thing.keys(), *thing.values()]
        case list() | tuple() | set() | frozenset() | deque():
            return [*thing]
        case partial():
            return [thing.func, thing.args, thing.keywords]
        case MethodType():
            return [thing.__self__]
        case _:
            slots = [name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ())]
            return [
                vars(thing) if hasattr(thing, "__dict__") else None,
                *(getattr(thing, name, None) for name in slots),
            ]
