"""A scene: what it was made from, and what has become of it."""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs

from kognic_aio.emulator.errors import BadRequestError
from kognic_aio.emulator.state.scene_body import SceneSpec
from kognic_aio.emulator.state.scene_kinds import SceneKind
from kognic_aio.emulator.state.storage import Storage, StoredObject
from kognic_aio.emulator.state.timing import Timing, utc_now, wire_date

CSV_HEADER = b"ts_gps,x,y,z,intensity"


@attrs.define(kw_only=True, eq=False)
class Scene:
    """A scene of a workspace.

    Its status is nowhere stored: it follows from what was done to the scene and from the clock,
    so that nothing has to run in the background.
    """

    uuid: str
    workspace_id: str
    kind: SceneKind
    spec: SceneSpec = attrs.field(repr=False)
    created: datetime = attrs.field(factory=utc_now)
    visible_at: float = -math.inf
    """From when on clients can see it, on the platform's clock."""
    ready_at: float | None = None
    """When processing ends, on the platform's clock; None until the scene is committed."""
    failure: str | None = None
    """Why processing fails, known from the commit on."""
    indexed: bool = False
    """Whether the platform knows of its files, but has not imported them from the customer's bucket."""
    reindexed: bool = False
    """Whether it was indexed again after it had been imported: then it keeps the inputs that it has."""
    invalidated: str | None = None
    """What an invalidated scene's status says after the colon."""
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
        """Whether it can have inputs now."""
        return self.visible and self.invalidated is None and (self.reindexed or self.status == "created")

    def check_status(self, *statuses: str) -> None:
        """Check that its status is one of those given.

        Raises:
            BadRequestError: it is another one.
        """
        status = self.status
        if status not in statuses:
            raise BadRequestError(f"scene {self.uuid} is {status}, not {' or '.join(statuses)}")

    @property
    def files(self) -> Mapping[str, StoredObject | None]:
        """What was put for each resource id, the IMU data's included; None where nothing was seen."""
        names = list(self.spec.filenames)
        if self.spec.imu_id is not None:
            names.append(self.spec.imu_id)
        return self._storage.look_up(self.prefix, names)

    @property
    def known_files(self) -> Mapping[str, StoredObject | None]:
        """Those of its files that rules can look at: not what is in another store that cannot be looked into."""
        return {name: file for name, file in self.files.items() if self._storage.can_see(f"{self.prefix}/{name}")}

    @property
    def prefix(self) -> str:
        """Where its files are in the storage."""
        return f"{self.workspace_id}/{self.uuid}"

    def fault_of_files(self) -> str | None:
        """Why its files cannot be processed, or None."""
        for name, stored in self.known_files.items():
            if stored is None or not stored.size:
                return f"file {name} is empty"
            is_csv = self.spec.filenames.get(name, "").lower().endswith(".csv")
            if is_csv and stored.head.partition(b"\n")[0].rstrip(b"\r") != CSV_HEADER:
                return f"file {name} must begin with the header {CSV_HEADER.decode()}"
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
        """What the scene is made of, on the wire."""
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
