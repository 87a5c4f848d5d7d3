"""The platform's things as frozen, keyword-only attrs classes. They do no I/O and know no JSON."""

from kognic_aio.model.ego import EgoVehiclePose, IMUData, UnixTimestampNs
from kognic_aio.model.feature_flags import FeatureFlags
from kognic_aio.model.file_data import Callback, FileData, FileFormat, UploadableData
from kognic_aio.model.geometry import Position, RotationQuaternion
from kognic_aio.model.input import Input
from kognic_aio.model.open_enum import OpenEnum
from kognic_aio.model.pre_annotation import CreatedPreAnnotation, OpenLabelModel, PreAnnotation
from kognic_aio.model.project import Project, ProjectBatch, ProjectBatchStatus
from kognic_aio.model.resource import Image, ImageMetadata, PointCloud, Resource
from kognic_aio.model.scene import (
    AggregatedLidarsAndCamerasSequence,
    BaseFrame,
    BaseScene,
    BaseSceneWithIMUData,
    Cameras,
    CamerasSequence,
    Lidars,
    LidarsAndCameras,
    LidarsAndCamerasSequence,
    LidarsSequence,
    Metadata,
    SensorSpecification,
    SequenceFrame,
)
from kognic_aio.model.scene_entry import CreateSceneResponse, Scene, SceneStatus
from kognic_aio.model.workspace import Workspace

__all__ = [
    "AggregatedLidarsAndCamerasSequence",
    "BaseFrame",
    "BaseScene",
    "BaseSceneWithIMUData",
    "Callback",
    "Cameras",
    "CamerasSequence",
    "CreateSceneResponse",
    "CreatedPreAnnotation",
    "EgoVehiclePose",
    "FeatureFlags",
    "FileData",
    "FileFormat",
    "IMUData",
    "Image",
    "ImageMetadata",
    "Input",
    "Lidars",
    "LidarsAndCameras",
    "LidarsAndCamerasSequence",
    "LidarsSequence",
    "Metadata",
    "OpenEnum",
    "OpenLabelModel",
    "PointCloud",
    "Position",
    "PreAnnotation",
    "Project",
    "ProjectBatch",
    "ProjectBatchStatus",
    "Resource",
    "RotationQuaternion",
    "Scene",
    "SceneStatus",
    "SensorSpecification",
    "SequenceFrame",
    "UnixTimestampNs",
    "UploadableData",
    "Workspace",
]
