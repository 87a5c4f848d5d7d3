"""Between models and the wire's JSON: camelCase both ways, None left out. The rules are in `converter`."""

import json
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from kognic_aio._json import read_json
from kognic_aio._validation.converters import plain
from kognic_aio._validation.official import refuse_official
from kognic_aio.errors import InvalidError
from kognic_aio.model import PreAnnotation

if TYPE_CHECKING:
    from cattrs import Converter

T = TypeVar("T")
JsonObject = dict[str, Any]


class DecodeError(ValueError):
    """JSON that does not fit its model.

    Attributes:
        problems: What is wrong, each with its path (`required field missing @ $.frames[3].images`).
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def encode(model: Any) -> JsonObject:
    """The JSON object of a model, for a request body.

    Raises:
        InvalidError: If it is not a model.
    """
    if not attrs.has(type(model)):
        refuse_official(model)
        raise InvalidError(f"expected a model of kognic_aio.model, got {type(model).__name__}")
    return _converter().unstructure(model)  # type: ignore[no-any-return]  # cattrs answers Any


def decode(data: Any, kind: type[T]) -> T:
    """The model that a piece of an answer stands for.

    Raises:
        DecodeError: If the data does not fit, with the path of everything that is wrong.
    """
    try:
        return _converter().structure(data, kind)
    except Exception as error:  # cattrs and the constructors that it calls raise what they like
        problems = _problems(error)
        _let_go(error)
    raise DecodeError(problems)


def _let_go(error: BaseException) -> None:
    """Have an error keep nothing of the data, which is in its frames, and which they and their errors keep alive."""
    error.__traceback__ = error.__context__ = error.__cause__ = None
    for each in getattr(error, "exceptions", ()):
        _let_go(each)


def to_json(data: Any, what: str = "the request") -> bytes:
    """The JSON text of some data, also of numbers of numpy and members of enums.

    Raises:
        InvalidError: If the data cannot be JSON.
    """
    try:
        return _JSON.encode(data).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidError(f"{what} cannot be JSON: {error}") from error


def encode_pre_annotation(pre_annotation: PreAnnotation) -> bytes:
    """The OpenLABEL of a pre-annotation as JSON text, in which names stay as they are.

    Raises:
        InvalidError: If it is not a JSON object.
    """
    return to_json(read_pre_annotation(pre_annotation), "pre_annotation")


def read_pre_annotation(pre_annotation: PreAnnotation) -> JsonObject:
    """The OpenLABEL of a pre-annotation as a JSON object, in which names stay as they are.

    Raises:
        InvalidError: If it is not a JSON object.
    """
    given: Any = pre_annotation
    if isinstance(given, bytes | bytearray | str):
        given = _parsed(given)
    elif hasattr(given, "model_dump"):
        given = given.model_dump(exclude_none=True, by_alias=True)
    if not isinstance(given, Mapping):
        kind = type(given).__name__
        raise InvalidError(f"pre_annotation: expected OpenLABEL as a model, a dict or JSON, got {kind}")
    try:
        content: JsonObject = _plain(given)
    except RecursionError:
        raise InvalidError("pre_annotation: it is nested too deeply, or has itself in it") from None
    return content


def _parsed(text: bytes | bytearray | str) -> JsonObject:
    try:
        data: Any = read_json(text)
    except ValueError as error:
        raise InvalidError(f"pre_annotation: not JSON: {error}") from error
    if not isinstance(data, dict):
        raise InvalidError(f"pre_annotation: expected a JSON object, got {type(data).__name__}")
    return data


def _plain(value: Any) -> Any:
    """The same as JSON has it: without the keys whose value is null, enums and numpy's as plain values."""
    if isinstance(value, Mapping):
        return {plain(key): _plain(each) for key, each in value.items() if each is not None}
    if isinstance(value, list | tuple) or getattr(value, "shape", ()) != ():
        return [_plain(each) for each in value]
    return plain(value)


def _plain_scalar(value: Any) -> Any:
    if (made := plain(value)) is value:
        raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")
    return made


_JSON = json.JSONEncoder(allow_nan=False, default=_plain_scalar)


@cache
def _converter() -> "Converter":
    """The converter. It is imported when a client opens, as cattrs takes longer than all of this package."""
    from kognic_aio._http.converter import converter  # noqa: PLC0415

    return converter


def _problems(error: Exception) -> list[str]:
    from kognic_aio._http.converter import problems  # noqa: PLC0415

    return problems(error)
