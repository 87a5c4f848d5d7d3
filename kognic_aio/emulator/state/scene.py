"""A scene: its files, and its status."""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs

from kognic_aio.emulator.errors import BadRequestError
from kognic_aio.emulator.files import Inspection, inspection_of
from kognic_aio.emulator.state.imu import Imu
from kognic_aio.emulator.state.scene_body import SceneSpec
from kognic_aio.emulator.state.scene_kinds import SceneKind
from kognic_aio.emulator.state.storage import Storage, StoredObject
from kognic_aio.emulator.state.timing import Timing, utc_now, wire_date


@attrs.define(kw_only=True, eq=False)
class Scene:
    """A scene of a workspace.

    Its status is not stored. It follows from what was done to the scene and from the clock, so nothing has to run in
    the background.
    """

    uuid: str
    workspace_id: str
    kind: SceneKind
    spec: SceneSpec = attrs.field(repr=False)
    created: datetime = attrs.field(factory=utc_now)
    imu: Imu | None = None
    """Its IMU data, unless that is a file that the platform cannot read."""
    visible_at: float = -math.inf
    """When clients begin to see it, on the platform's clock."""
    ready_at: float | None = None
    """When processing ends, on the platform's clock; None until the scene is committed."""
    failure: str | None = None
    """Why processing fails. Known from the commit on."""
    indexed: bool = False
    """Whether the platform knows its files, but has not imported them from the customer's bucket."""
    reindexed: bool = False
    """Whether it was indexed again after its import. Then it keeps its inputs."""
    invalidated: str | None = None
    """The reason in an invalidated scene's status, after the colon."""
    _timing: Timing = attrs.field(repr=False, alias="timing")
    _storage: Storage = attrs.field(repr=False, alias="storage")

    @property
    def external_id(self) -> str:
        """The customer's name for the scene; not unique."""
        return self.spec.external_id

    @property
    def status(self) -> str:
        """`pending`, `processing`, `created`, `failed`, `indexed` or `invalidated:<why>`, as of now."""
        if self.invalidated is not None:
            return f"invalidated:{self.invalidated}"
        if self.indexed:
            return "indexed"
        if self.ready_at is None:
            return "pending"
        if self._timing.clock() < self.ready_at:
            return "processing"
        return "created" if self.failure is None else "failed"

    @property
    def visible(self) -> bool:
        """Whether clients can see it now."""
        return self._timing.clock() >= self.visible_at

    @property
    def annotatable(self) -> bool:
        """Whether it may have inputs now."""
        return self.visible and self.invalidated is None and (self.reindexed or self.status == "created")

    def check_status(self, *statuses: str) -> None:
        """Check that it has one of some statuses.

        Raises:
            BadRequestError: If it has another status.
        """
        status = self.status
        if status not in statuses:
            raise BadRequestError(f"scene {self.uuid} is {status}, not {' or '.join(statuses)}")

    @property
    def files(self) -> Mapping[str, StoredObject | None]:
        """The stored file for each resource id, and for the IMU data; None if there is none."""
        files = {name: self.inspection_of(name) for name in self.spec.filenames}
        if self.spec.imu_id is not None:
            files[self.spec.imu_id] = None
        return self._storage.look_up(self.prefix, files)

    def inspection_of(self, resource_id: str) -> Inspection | None:
        """A new inspection for an image or point cloud; None for other files, or if there is nothing to inspect."""
        filename = self.spec.filenames.get(resource_id)
        if filename is None or resource_id == self.spec.imu_file:
            return None
        return inspection_of(filename, whole=self._storage.reads_files)

    @property
    def known_files(self) -> Mapping[str, StoredObject | None]:
        """The files that rules can look at, so not those in another store that the emulator cannot see."""
        return {name: file for name, file in self.files.items() if self._storage.can_see(f"{self.prefix}/{name}")}

    @property
    def prefix(self) -> str:
        """The path of its files in the storage."""
        return f"{self.workspace_id}/{self.uuid}"

    def fault(self) -> str | None:
        """Why it cannot be processed, or None."""
        return self._fault_of_files() or self._fault_of_times()

    def _fault_of_times(self) -> str | None:
        """Why its point clouds cannot be motion compensated, or None."""
        if self.imu is None or not self.spec.motion_compensated:
            return None
        return self.imu.fault_of_times(self.spec.unix_timestamps)

    def _fault_of_files(self) -> str | None:
        for name, stored in self.known_files.items():
            filename = self.spec.filenames.get(name, name)
            if stored is None or not stored.size:
                return f"file {filename} is empty"
            if stored.fault is not None:
                return f"file {filename} {stored.fault}"
        return None

    def to_json(self) -> dict[str, Any]:
        """The scene on the wire."""
        status = self.status
        wire: dict[str, Any] = {
            "uuid": self.uuid,
            "workspaceId": self.workspace_id,
            "externalId": self.external_id,
            "sceneType": self.kind.scene_type,
            "status": status,
            "created": wire_date(self.created),
        }
        if self.spec.calibration_id is not None:
            wire["calibrationId"] = self.spec.calibration_id
        if status == "created":
            wire["viewLink"] = f"https://app.kognic.com/view/scene/{self.uuid}"
        if status == "failed":
            wire["errorMessage"] = self.failure
        return wire

    def to_summary(self) -> dict[str, Any]:
        """A summary of the scene on the wire."""
        spec = self.spec
        wire: dict[str, Any] = {
            "sceneUuid": self.uuid,
            "externalId": self.external_id,
            "workspaceId": self.workspace_id,
            "created": wire_date(self.created),
            "sceneType": self.kind.scene_type,
            "isMultiSensor": len(spec.cameras) + len(spec.lidars) > 1,
            "isMotionCompensated": spec.motion_compensated,
            "cameras": sorted(spec.cameras),
            "lidars": sorted(spec.lidars),
            "metadata": spec.metadata,
        }
        if spec.calibration_id is not None:
            wire["calibrationId"] = spec.calibration_id
        if self.kind.sequence:
            wire["frameRelativeTimes"] = spec.relative_timestamps
        return wire
