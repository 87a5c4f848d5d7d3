"""Scenes in, inputs out: `create_inputs`."""

from kognic_aio.pipeline.journal import Journal
from kognic_aio.pipeline.result import (
    InputCreationError,
    InputCreationResult,
    InputCreationStage,
    InputCreationStatus,
    Progress,
    SceneWithPreAnnotation,
)
from kognic_aio.pipeline.run import InputCreation, create_inputs

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
