"""Scenes in, inputs out: `create_inputs`."""

from kognic_aio.model.target import InputCreationStatus, InputTarget
from kognic_aio.pipeline.creation import InputCreation, create_inputs
from kognic_aio.pipeline.journal import Journal
from kognic_aio.pipeline.progress import Progress, SceneStage
from kognic_aio.pipeline.result import (
    InputCreationError,
    InputCreationResult,
    InputCreationStage,
    InvalidScene,
    SceneWithPreAnnotation,
    TargetOutcome,
)

__all__ = [
    "InputCreation",
    "InputCreationError",
    "InputCreationResult",
    "InputCreationStage",
    "InputCreationStatus",
    "InputTarget",
    "InvalidScene",
    "Journal",
    "Progress",
    "SceneStage",
    "SceneWithPreAnnotation",
    "TargetOutcome",
    "create_inputs",
]
