# The names of the package, which `__init__.py` imports when they are used.

from ._http.paging import Paged
from .client import KognicIOClient
from .config import Limits
from .errors import KognicError
from .model import FeatureFlags, FileData
from .pipeline import (
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
