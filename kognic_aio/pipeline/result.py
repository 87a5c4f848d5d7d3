"""The items, results and progress of `create_inputs`."""

from collections.abc import Callable
from enum import StrEnum
from typing import TypeAlias

from attrs import define, field, frozen

from kognic_aio._text import MAX_MESSAGE, printable
from kognic_aio.errors import InvalidError
from kognic_aio.model import BaseScene, Input, PreAnnotation

Release: TypeAlias = Callable[[], object]
"""Called when the files of a scene are no longer needed; sync or async."""


@frozen(init=False, eq=False)
class SceneWithPreAnnotation:
    """A scene, with its pre-annotation if it has one.

    Args:
        scene: A scene of any of the seven types.
        pre_annotation: OpenLABEL as a `kognic.openlabel` model, a dict or JSON.
        preannotation: Another spelling of `pre_annotation`, as in kognic-io.
        release: Called once, without arguments, as soon as the run no longer needs the scene's files, however the scene
            ended: for example, to delete a temporary folder. A coroutine function is awaited, any other is called in a
            thread. An exception is logged as a warning.

    Raises:
        InvalidError: If both spellings are used, or `release` cannot be called.
    """

    scene: BaseScene
    pre_annotation: PreAnnotation | None
    release: Release | None

    def __init__(
        self,
        scene: BaseScene,
        pre_annotation: PreAnnotation | None = None,
        *,
        preannotation: PreAnnotation | None = None,
        release: Release | None = None,
    ) -> None:
        if release is not None and not callable(release):
            raise InvalidError(f"SceneWithPreAnnotation.release: expected a callable, got {type(release).__name__}")
        if pre_annotation is not None and preannotation is not None:
            raise InvalidError("SceneWithPreAnnotation: pass pre_annotation or preannotation, not both")
        object.__setattr__(self, "scene", scene)
        object.__setattr__(self, "pre_annotation", preannotation if pre_annotation is None else pre_annotation)
        object.__setattr__(self, "release", release)


class InputCreationStage(StrEnum):
    """The stage at which a scene failed."""

    SCENE = "scene"
    PRE_ANNOTATION = "pre-annotation"
    INPUT_FROM_SCENE = "input-from-scene"


class InputCreationStatus(StrEnum):
    """How a scene ended. PROCESSING: it was not ready in time. VALIDATED: it passed a dry run."""

    CREATED = "created"
    FAILED = "failed"
    PROCESSING = "processing"
    VALIDATED = "validated"


def _message(text: str) -> str:
    return printable(text, MAX_MESSAGE)


@frozen(kw_only=True)
class InputCreationError:
    """Why a scene failed.

    Args:
        stage: The stage at which it failed.
        message: The platform's message, or what is wrong with the scene. It is one line of at most 10,000 characters,
            with control characters escaped.
    """

    stage: InputCreationStage
    message: str = field(converter=_message)

    def __str__(self) -> str:
        return f"{self.stage.value}: {self.message}"


@frozen(kw_only=True)
class InputCreationResult:
    """How one scene ended.

    Args:
        status: How it ended.
        external_id: The scene's external id; None if the source yielded something other than a scene.
        scene_uuid: The scene's uuid; None if it was not started.
        inputs: The inputs that were created, one per request of the batch.
        preannotation_uuid: The pre-annotation's uuid, if one was created.
        error: Why it failed.
    """

    status: InputCreationStatus
    external_id: str | None = None
    scene_uuid: str | None = None
    inputs: tuple[Input, ...] = ()
    preannotation_uuid: str | None = None
    error: InputCreationError | None = None

    @property
    def input_uuid(self) -> str | None:
        """The uuid of the first input."""
        return self.inputs[0].uuid if self.inputs else None


@define
class Progress:
    """How far a run has come.

    Attributes:
        taken: Scenes taken from the source.
        committed: Scenes that were committed.
        files: Uploaded files.
        bytes: Total size of the uploaded files in bytes.
        created: Scenes that became inputs.
        failed: Scenes that failed.
        processing: Scenes that were not ready in time.
        validated: Scenes that passed a dry run.
        skipped: Scenes whose result was delivered by an earlier run with the same journal.
        skipped_failed: How many of the skipped scenes had failed. `create_inputs(..., retry_failed=True)` retries them.
    """

    taken: int = 0
    committed: int = 0
    files: int = 0
    bytes: int = 0
    created: int = 0
    failed: int = 0
    processing: int = 0
    validated: int = 0
    skipped: int = 0
    skipped_failed: int = 0

    @property
    def settled(self) -> int:
        """Scenes that have a result, of any status."""
        return self.created + self.failed + self.processing + self.validated + self.skipped

    def sent(self, size: int) -> None:
        """Count an uploaded file."""
        self.files += 1
        self.bytes += size

    def ended(self, status: InputCreationStatus) -> None:
        """Count a scene that has settled."""
        setattr(self, status.value, getattr(self, status.value) + 1)

    def skip(self, status: InputCreationStatus) -> None:
        """Count a scene whose result an earlier run has delivered."""
        self.skipped += 1
        self.skipped_failed += status is InputCreationStatus.FAILED
