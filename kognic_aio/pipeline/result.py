"""The items and results of `create_inputs`."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from functools import partial
from typing import TypeAlias

from attrs import field, frozen

from kognic_aio._text import MAX_MESSAGE, printable
from kognic_aio._validation.converters import argument, external_id, mapping_of
from kognic_aio.errors import InvalidError, KognicError
from kognic_aio.model import Input, PreAnnotation
from kognic_aio.model.target import InputCreationStatus, InputTarget
from kognic_aio.pipeline.targets import Targets
from kognic_aio.scenes.job import AnyScene

Release: TypeAlias = Callable[[], object]
"""Called when the files of a scene are no longer needed; sync or async."""


@frozen(init=False, eq=False)
class SceneWithPreAnnotation:
    """A scene with its pre-annotations, and where its inputs go if not where those of the run do.

    Args:
        scene: A scene of any of the seven types, or a `SceneRequest`.
        pre_annotation: OpenLABEL as a `kognic.openlabel` model, a dict or JSON. For runs with `project=`.
        preannotation: Another spelling of `pre_annotation`, as in kognic-io.
        pre_annotations: Pre-annotations by name, for runs with `targets=`. Each target names the one that its input
            starts from. A name becomes the external id of its pre-annotation.
        targets: The targets of this scene. By default those of the run.
        release: Called once, without arguments, as soon as the run no longer needs the scene's files, however the scene
            ended: for example, to delete a temporary folder. A coroutine function is awaited, any other is called in a
            thread. An exception is logged as a warning.

    Raises:
        InvalidError: If pre-annotations are passed in two ways, two targets may lead to the same batch, or `release`
            cannot be called.
    """

    scene: AnyScene
    pre_annotation: PreAnnotation | None
    pre_annotations: Mapping[str, PreAnnotation]
    targets: tuple[InputTarget, ...]
    release: Release | None

    def __init__(
        self,
        scene: AnyScene,
        pre_annotation: PreAnnotation | None = None,
        *,
        preannotation: PreAnnotation | None = None,
        pre_annotations: Mapping[str, PreAnnotation] | None = None,
        targets: Sequence[InputTarget] = (),
        release: Release | None = None,
    ) -> None:
        if release is not None and not callable(release):
            raise InvalidError(f"SceneWithPreAnnotation.release: expected a callable, got {type(release).__name__}")
        single = preannotation if pre_annotation is None else pre_annotation
        if pre_annotation is not None and preannotation is not None:
            raise InvalidError("SceneWithPreAnnotation: pass pre_annotation or preannotation, not both")
        if single is not None and pre_annotations:
            raise InvalidError("SceneWithPreAnnotation: pass pre_annotation or pre_annotations, not both")
        named = argument("SceneWithPreAnnotation.pre_annotations", pre_annotations or {}, mapping_of(lambda each: each))
        for name in named:
            argument("SceneWithPreAnnotation.pre_annotations", name, external_id)
        object.__setattr__(self, "scene", scene)
        object.__setattr__(self, "pre_annotation", single)
        object.__setattr__(self, "pre_annotations", named)
        own = () if not targets else Targets.of(targets, "SceneWithPreAnnotation.targets").each
        object.__setattr__(self, "targets", own)
        object.__setattr__(self, "release", release)


@frozen
class InvalidScene:
    """A scene that its source cannot make. A source yields it in place of the scene, and its result is FAILED.

    Args:
        error: What is wrong.
        external_id: The external id of the scene, if it is known.
    """

    error: KognicError
    external_id: str | None = None


class InputCreationStage(StrEnum):
    """The stage at which a scene failed."""

    SCENE = "scene"
    PRE_ANNOTATION = "pre-annotation"
    INPUT_FROM_SCENE = "input-from-scene"


def _message(text: str) -> str:
    return printable(text, MAX_MESSAGE)


@frozen(kw_only=True)
class InputCreationError:
    """Why a scene or one of its targets failed.

    Args:
        stage: The stage at which it failed.
        message: The platform's message, or what is wrong with the scene. It is one line of at most 10,000 characters,
            with control characters escaped.
        exception: The error itself, without a traceback, to tell errors apart by type. It is not compared, shown,
            copied, pickled or kept in a journal, so it is None for results of earlier runs.
    """

    stage: InputCreationStage
    message: str = field(converter=_message)
    exception: BaseException | None = field(default=None, eq=False, repr=False)

    def __reduce__(self) -> tuple[object, ...]:
        return partial(InputCreationError, stage=self.stage, message=self.message), ()  # exceptions may not be pickled

    def __str__(self) -> str:
        return f"{self.stage.value}: {self.message}"


@frozen(kw_only=True)
class TargetOutcome:
    """What became of one target of a scene.

    Args:
        target: The target.
        status: How it ended: as its scene did if that came to no input.
        input_uuid: The uuid of the input, None if there is none.
        request_uuid: The uuid of the request that the input is in.
        view_link: URL at which people look at the input.
        error: Why the target failed.
    """

    target: InputTarget
    status: InputCreationStatus
    input_uuid: str | None = None
    request_uuid: str | None = None
    view_link: str | None = None
    error: InputCreationError | None = None

    @classmethod
    def created(cls, target: InputTarget, made: Input) -> "TargetOutcome":
        """The outcome of a target that has its input."""
        return cls(
            target=target,
            status=InputCreationStatus.CREATED,
            input_uuid=made.uuid,
            request_uuid=made.request_uid,
            view_link=made.view_link,
        )


@frozen(kw_only=True)
class InputCreationResult:
    """How one scene ended.

    Args:
        status: How it ended. It is CREATED only if every target has its input.
        external_id: The scene's external id; None if the source yielded something other than a scene.
        scene_uuid: The scene's uuid; None if it was not started.
        inputs: The inputs that were created. With `project=`, one per request of the batch.
        preannotation_uuid: The uuid of the pre-annotation, or of the first one, if one was created.
        preannotation_uuids: The uuids of all named pre-annotations that were created, by name.
        outcomes: What became of each target, in their order.
        error: Why it failed; of several targets that failed, why the first one did.
    """

    status: InputCreationStatus
    external_id: str | None = None
    scene_uuid: str | None = None
    inputs: tuple[Input, ...] = ()
    preannotation_uuid: str | None = None
    preannotation_uuids: Mapping[str, str] = field(factory=dict[str, str], hash=False)
    outcomes: tuple[TargetOutcome, ...] = ()
    error: InputCreationError | None = None

    @property
    def input_uuid(self) -> str | None:
        """The uuid of the first input."""
        return self.inputs[0].uuid if self.inputs else None
