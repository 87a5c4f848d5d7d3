"""What the platform works with, as frozen, keyword-only attrs classes. They know no JSON and do no I/O.

This package has what scenes are made of, and what the platform answers about scenes, inputs and projects. Other
subjects have modules of their own, which are imported only by those who need them: `calibration`, `annotation`,
`review`, `request`, `request_input` and `scene_request`.
"""

from kognic_aio.model.feature_flags import FeatureFlags
from kognic_aio.model.file_data import Callback, FileData, FileFormat, UploadableData
from kognic_aio.model.geometry import EgoVehiclePose, IMUData, Position, RotationQuaternion, UnixTimestampNs
from kognic_aio.model.metadata import FrameMetaData, MetaData, Metadata, MetadataInput
from kognic_aio.model.platform import (
    CreateSceneResponse,
    Input,
    InputEntry,
    InputStatus,
    InvalidatedReasonInput,
    OpenEnum,
    Project,
    ProjectBatch,
    ProjectBatchStatus,
    Scene,
    SceneInvalidatedReason,
    SceneStatus,
    SceneSummary,
    SceneType,
    Workspace,
)
from kognic_aio.model.pre_annotation import CreatedPreAnnotation, OpenLabelModel, PreAnnotation, ResolvedPreAnnotation
from kognic_aio.model.resource import Image, ImageMetadata, PointCloud, Resource
from kognic_aio.model.scene import (
    AggregatedLidarsAndCamerasSequence,
    BaseFrame,
    BaseScene,
    BaseSceneWithIMUData,
    Cameras,
    CameraSettings,
    CamerasSequence,
    Lidars,
    LidarsAndCameras,
    LidarsAndCamerasSequence,
    LidarsSequence,
    SensorSpecification,
    SequenceFrame,
)

__all__ = [
    "AggregatedLidarsAndCamerasSequence",
    "BaseFrame",
    "BaseScene",
    "BaseSceneWithIMUData",
    "Callback",
    "CameraSettings",
    "Cameras",
    "CamerasSequence",
    "CreateSceneResponse",
    "CreatedPreAnnotation",
    "EgoVehiclePose",
    "FeatureFlags",
    "FileData",
    "FileFormat",
    "FrameMetaData",
    "IMUData",
    "Image",
    "ImageMetadata",
    "Input",
    "InputEntry",
    "InputStatus",
    "InvalidatedReasonInput",
    "Lidars",
    "LidarsAndCameras",
    "LidarsAndCamerasSequence",
    "LidarsSequence",
    "MetaData",
    "Metadata",
    "MetadataInput",
    "OpenEnum",
    "OpenLabelModel",
    "PointCloud",
    "Position",
    "PreAnnotation",
    "Project",
    "ProjectBatch",
    "ProjectBatchStatus",
    "ResolvedPreAnnotation",
    "Resource",
    "RotationQuaternion",
    "Scene",
    "SceneInvalidatedReason",
    "SceneStatus",
    "SceneSummary",
    "SceneType",
    "SensorSpecification",
    "SequenceFrame",
    "UnixTimestampNs",
    "UploadableData",
    "Workspace",
]
