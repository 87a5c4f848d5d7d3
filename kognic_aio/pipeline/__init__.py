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
)

__all__ = [
    "InputCreation",
    "InputCreationError",
    "InputCreationResult",
    "InputCreationStage",
    "InputCreationStatus",
    "Journal",
    "Progress",
    "SceneWithPreAnnotation",
    "create_inputs",
]
