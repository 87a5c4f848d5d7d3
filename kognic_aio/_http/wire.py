"""Between models and the wire's JSON: camelCase both ways, None left out. The rules are in `converter`."""

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from kognic_aio._frames import without_frames
from kognic_aio._http.redaction import Redactor
from kognic_aio._json import read_json
from kognic_aio._validation.converters import plain
from kognic_aio._validation.official import refuse_official
from kognic_aio.errors import InvalidError
from kognic_aio.model import CreatedPreAnnotation, Input, InputEntry, PreAnnotation, Scene, SceneStatus

if TYPE_CHECKING:
    from cattrs import Converter

T = TypeVar("T")

MAX_WORDS = 500
"""Characters of the platform's words about a scene."""

JsonObject = dict[str, Any]


class DecodeError(ValueError):
    """JSON that does not fit its model: what is wrong, each with its path (`... missing @ $.frames[3].images`)."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def encode(model: Any) -> JsonObject:
    """The JSON object of a model, for a request body."""
    if not attrs.has(type(model)):
        refuse_official(model)
        raise InvalidError(f"expected a model of kognic_aio.model, got {type(model).__name__}")
    converter, _ = _converter()
    return converter.unstructure(model)  # type: ignore[no-any-return]  # cattrs returns Any


def decode(data: Any, kind: type[T]) -> T:
    """The model of a piece of a response. Raises a DecodeError with the path of everything that is wrong."""
    converter, problems = _converter()
    try:
        return converter.structure(data, kind)
    except Exception as error:  # cattrs and the constructors that it calls raise what they like
        found = problems(error)
        without_frames(error)  # the frames have all of the data, and would keep it alive
    raise DecodeError(found)


def without_secrets(found: T, redactor: Redactor) -> T:
    """The same models without secrets in the platform's words, or in what is kept or displayed."""
    clean: Any = found
    match clean:
        case list() | tuple():
            clean = type(clean)(without_secrets(each, redactor) for each in clean)
        case Scene() | InputEntry():
            status, words = clean.status, clean.error_message
            if status.name not in SceneStatus.__members__:
                clean = attrs.evolve(clean, status=SceneStatus(redactor(status.value, length=MAX_WORDS)))
            if words is not None:
                clean = attrs.evolve(clean, error_message=redactor(words, length=MAX_WORDS))
        case Input() | CreatedPreAnnotation() if redactor.knows("\n".join(attrs.astuple(clean))):
            clean = type(clean)(**{name: redactor.clean(value) for name, value in attrs.asdict(clean).items()})
        case _:
            pass
    return clean  # type: ignore[no-any-return]  # of the kind that was found


def to_json(data: Any, what: str = "the request") -> bytes:
    """The JSON text of some data, which may have numbers of numpy and members of enums. Errors call it `what`."""
    try:
        return _JSON.encode(data).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidError(f"{what} cannot be JSON: {error}") from error


def encode_pre_annotation(pre_annotation: PreAnnotation) -> bytes:
    """The OpenLABEL of a pre-annotation as JSON text, in which names stay as they are."""
    return to_json(read_pre_annotation(pre_annotation), "pre_annotation")


def read_pre_annotation(pre_annotation: PreAnnotation) -> JsonObject:
    """The OpenLABEL of a pre-annotation as a JSON object, in which names stay as they are."""
    given: Any = pre_annotation
    expected = "OpenLABEL as a model, a dict or JSON"
    if isinstance(given, bytes | bytearray | str):
        expected = "a JSON object"
        try:
            given = read_json(given)
        except ValueError as error:
            raise InvalidError(f"pre_annotation: not JSON: {error}") from error
    elif hasattr(given, "model_dump"):
        given = given.model_dump(exclude_none=True, by_alias=True)
    if not isinstance(given, Mapping):
        raise InvalidError(f"pre_annotation: expected {expected}, got {type(given).__name__}")
    try:
        content: JsonObject = _plain(given)
    except RecursionError:
        raise InvalidError("pre_annotation: it is nested too deeply, or has itself in it") from None
    return content


def _plain(value: Any) -> Any:
    """The same as JSON has it: without keys whose value is null, and with enums and numpy's values as plain ones."""
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
def _converter() -> "tuple[Converter, Callable[[Exception], list[str]]]":
    """The converter and the function that explains its errors. Imported when a client opens: cattrs takes long."""
    from kognic_aio._http.converter import converter, problems  # noqa: PLC0415  # as said above

    return converter, problems
