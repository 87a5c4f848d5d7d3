"""What the frames of all scene types share, and what the scenes do."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Annotated, ClassVar

from attrs import field, frozen

from kognic_aio._validation.fields import Validated, with_converters
from kognic_aio.model._files import file_problems
from kognic_aio.model._units import Moment, Problems, misfits
from kognic_aio.model.ego import EgoVehiclePose, IMUData
from kognic_aio.model.metadata import Metadata, flat_metadata
from kognic_aio.model.resource import Image, Resource


@frozen(kw_only=True, field_transformer=with_converters)
class BaseFrame(Validated):
    """The files that were recorded at one moment."""

    optional: ClassVar[tuple[str, ...]] = ()
    """The kinds of files that a frame of this type may do without."""

    @property
    def files(self) -> Iterator[Resource]:
        """The images and point clouds of the frame, images first."""
        yield from getattr(self, "images", ())
        yield from getattr(self, "point_clouds", ())

    def moment(self, place: str) -> Moment:
        """What the frame says of its time; `place` is where it stands in its scene."""
        images: Sequence[Image] = getattr(self, "images", ())
        pose: EgoVehiclePose | None = getattr(self, "ego_vehicle_pose", None)
        return Moment(
            place=place,
            unix=getattr(self, "unix_timestamp", None),
            relative=getattr(self, "relative_timestamp", None),
            rotation=None if pose is None else pose.rotation,
            shutters=[
                (f"{place}.images[{i}].metadata.shutter_time_start_ns", start, end)
                for i, shutter in enumerate(image.metadata for image in images)
                if shutter is not None
                for start, end in [(shutter.shutter_time_start_ns, shutter.shutter_time_end_ns)]
            ],
        )

    def __attrs_post_init__(self) -> None:
        for name in ("images", "point_clouds"):
            if name not in self.optional and not getattr(self, name, (None,)):
                raise self._invalid(name, "a frame needs at least one, got none")


@frozen(kw_only=True, field_transformer=with_converters)
class SequenceFrame(BaseFrame):
    """A frame of a sequence.

    Args:
        frame_id: Its id, unique within the scene.
        relative_timestamp: Its time, in milliseconds since the start of the scene.
        metadata: Flat pairs of names and values; those that are None are left out.
    """

    frame_id: str
    relative_timestamp: Annotated[int, "milliseconds"]
    metadata: Metadata = field(factory=dict, converter=flat_metadata)


@frozen(kw_only=True, field_transformer=with_converters)
class BaseScene(Validated):
    """What all scene types share.

    Args:
        external_id: Your own id of the scene.
        metadata: Flat pairs of names and values; those that are None are left out.

    Raises:
        InvalidError: If something is wrong in itself, as a scene without frames, or two files under one resource id;
            or if times or rotations cannot be in the units that are expected, by the rules of `model._units`.
    """

    path: ClassVar[str]
    """The scene type in the platform's URLs."""

    external_id: str
    metadata: Metadata = field(factory=dict, converter=flat_metadata)

    @property
    def all_frames(self) -> Sequence[BaseFrame]:
        """The frames of a sequence, or the one frame."""
        frame: BaseFrame | None = getattr(self, "frame", None)
        frames: Sequence[BaseFrame] = getattr(self, "frames", ())
        return frames if frame is None else (frame,)

    @property
    def resources(self) -> Mapping[str, Resource]:
        """Every image and point cloud by its resource id."""
        return {file.resource_id: file for frame in self.all_frames for file in frame.files}

    def __attrs_post_init__(self) -> None:
        for place, problem in self._problems():
            raise self._invalid(place, problem)

    def _problems(self) -> Problems:
        frames = self.all_frames
        if not self.external_id:
            yield "external_id", "must not be empty"
        if not frames:
            yield "frames", f"scene {self.external_id!r} needs at least one frame, got none"
        ids = sorted(frame.frame_id for frame in frames if isinstance(frame, SequenceFrame))
        if twice := next((a for a, b in pairwise(ids) if a == b), None):
            yield "frames", f"frame_id {twice!r} is used twice in scene {self.external_id!r}"
        yield from file_problems(self.external_id, (file for frame in frames for file in frame.files))
        places = ["frame"] if hasattr(self, "frame") else [f"frames[{i}]" for i in range(len(frames))]
        moments = [frame.moment(place) for frame, place in zip(frames, places, strict=True)]
        yield from misfits(moments, getattr(self, "imu_data", ()))


@frozen(kw_only=True, field_transformer=with_converters)
class BaseSceneWithIMUData(BaseScene):
    """A scene that may have IMU data, which says how its vehicle moved.

    Args:
        imu_data: Readings that span the `unix_timestamp` of every frame (ego to world).
    """

    imu_data: Sequence[IMUData] = ()
