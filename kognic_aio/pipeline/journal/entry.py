"""What a journal tells of its scenes."""

from collections.abc import Mapping
from enum import StrEnum

from attrs import field, frozen

from kognic_aio.pipeline.result import InputCreationResult, InputCreationStage, InputCreationStatus

KIN = "/"
"""Separates the two parts of a fingerprint: contents that differ only in their calibration share the second."""


def kin_of(fingerprint: str) -> str:
    """The part of a fingerprint that does not depend on the calibration; all of it if the scene has none."""
    return fingerprint[fingerprint.find(KIN) + 1 :]


def aside(key: str, fingerprint: str) -> str:
    """The key of a scene that has become an input, and then made way for another content of its key."""
    return f"{key}\0{kin_of(fingerprint)}"


class Step(StrEnum):
    """The steps of a scene's life, in their order. Each is recorded before it is taken, or once it has been."""

    STARTING = "starting"
    COMMITTING = "committing"
    COMMITTED = "committed"
    PRE_ANNOTATING = "pre-annotating"
    PRE_ANNOTATED = "pre-annotated"
    CREATING_INPUT = "creating-input"
    SETTLED = "settled"

    def may_follow(self, other: "Step") -> bool:
        """Whether a scene may go from the other step to this one, or stays there. No step goes back."""
        return STEPS.index(self) >= STEPS.index(other)


STEPS = tuple(Step)
"""All steps, in their order."""


@frozen
class Destination:
    """Where the scenes of a journal go.

    Args:
        host: The URL of the input API.
        workspace: The id of the workspace.
        project: External id of the project.
        batch: External id of the batch, None for the only open one.
    """

    host: str
    workspace: str
    project: str
    batch: str | None

    def __str__(self) -> str:
        batch = "its latest open batch" if self.batch is None else f"batch {self.batch!r}"
        return f"project {self.project!r}, {batch}, workspace {self.workspace!r} at {self.host}"


@frozen(kw_only=True)
class Entry:
    """What is known of one scene.

    Args:
        key: Tells the scene from others.
        step: How far it has come.
        fingerprint: Tells its content from another.
        outline: What is kept of its content, to tell how another one differs.
        scene_uuid: The scene that the platform knows, None if there is none or it has been abandoned.
        preannotation_uuid: Its pre-annotation, if one was created.
        result: How it ended, if it is SETTLED.
        delivered: Whether the consumer has taken that result.
        refused: Other contents that were refused under this key, by their `kin_of`: whether to try each again.
    """

    key: str
    step: Step
    fingerprint: str | None = None
    outline: str | None = None
    scene_uuid: str | None = None
    preannotation_uuid: str | None = None
    result: InputCreationResult | None = None
    delivered: bool = False
    refused: Mapping[str, bool] = field(factory=dict[str, bool])

    @property
    def status(self) -> InputCreationStatus | None:
        """How the scene ended, None if it has not."""
        return None if self.result is None else self.result.status


@frozen
class Failure:
    """Why a scene failed.

    Args:
        key: Tells the scene from others.
        stage: Where it failed.
        message: The platform's words, or what is wrong with what was given.
    """

    key: str
    stage: InputCreationStage
    message: str
