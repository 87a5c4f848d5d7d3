"""Scenes in, inputs out: `create_inputs`."""

from kognic_aio.pipeline.creation import InputCreation, create_inputs
from kognic_aio.pipeline.journal import Journal
from kognic_aio.pipeline.result import (
    InputCreationError,
    InputCreationResult,
    InputCreationStage,
    InputCreationStatus,
    Progress,
    SceneWithPreAnnotation,
    TargetOutcome,
)
from kognic_aio.pipeline.targets import InputTarget

__all__ = [
    "InputCreation",
    "InputCreationError",
    "InputCreationResult",
    "InputCreationStage",
    "InputCreationStatus",
    "InputTarget",
    "Journal",
    "Progress",
    "SceneWithPreAnnotation",
    "TargetOutcome",
    "create_inputs",
]
