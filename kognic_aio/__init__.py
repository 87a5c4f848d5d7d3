"""An asyncio SDK for the Kognic annotation platform: scenes in, inputs out."""

import logging

from kognic_aio._http.paging import Paged
from kognic_aio._text import OneLine
from kognic_aio.client import KognicIOClient
from kognic_aio.config import Limits
from kognic_aio.errors import KognicError
from kognic_aio.model import FeatureFlags, FileData
from kognic_aio.pipeline import (
    InputCreation,
    InputCreationError,
    InputCreationResult,
    InputCreationStage,
    InputCreationStatus,
    InputTarget,
    InvalidScene,
    Journal,
    Progress,
    SceneStage,
    SceneWithPreAnnotation,
    TargetOutcome,
    create_inputs,
)

logging.getLogger(__name__).addHandler(logging.NullHandler())  # a library prints nothing by itself
logging.getLogger(__name__).addFilter(OneLine())  # escapes line breaks in names, which could forge log lines

__all__ = [
    "FeatureFlags",
    "FileData",
    "InputCreation",
    "InputCreationError",
    "InputCreationResult",
    "InputCreationStage",
    "InputCreationStatus",
    "InputTarget",
    "InvalidScene",
    "Journal",
    "KognicError",
    "KognicIOClient",
    "Limits",
    "Paged",
    "Progress",
    "SceneStage",
    "SceneWithPreAnnotation",
    "TargetOutcome",
    "create_inputs",
]
