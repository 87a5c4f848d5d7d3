"""The life of scenes: reserve, create, commit, import, query, invalidate."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Literal, get_args
from uuid import uuid4

from kognic_aio.emulator.errors import BadRequestError, ConflictError, NotFoundError
from kognic_aio.emulator.faults import FailProcessing, Faults, HangProcessing
from kognic_aio.emulator.files import Inspection
from kognic_aio.emulator.state.accounts import Accounts
from kognic_aio.emulator.state.body import Body
from kognic_aio.emulator.state.calibrations import Calibrations
from kognic_aio.emulator.state.imu import Imu
from kognic_aio.emulator.state.refusals import Refusals
from kognic_aio.emulator.state.reservations import Reservations
from kognic_aio.emulator.state.scene import Scene
from kognic_aio.emulator.state.scene_body import SceneSpec, read_scene
from kognic_aio.emulator.state.scene_kinds import SceneKind
from kognic_aio.emulator.state.scene_request import read_scene_request
from kognic_aio.emulator.state.storage import Storage
from kognic_aio.emulator.state.timing import Timing

# The reasons that clients give, and the statuses that follow.
INVALIDATIONS = {
    "bad-content": "broken-input",
    "duplicate": "duplicate",
    "incorrectly-created": "incorrectly-created",
}

UnknownScenes = Literal["refuse", "omit"]


class Scenes:
    """All scenes, by uuid and by external id."""

    def __init__(
        self,
        timing: Timing,
        accounts: Accounts,
        calibrations: Calibrations,
        storage: Storage,
        refusals: Refusals,
        faults: Faults,
    ) -> None:
        self.reservations = Reservations(accounts, storage)
        self.by_uuid: dict[str, Scene] = {}
        self.pending = 0
        self._unknown_scenes: UnknownScenes = "refuse"
        self._timing = timing
        self._accounts = accounts
        self._calibrations = calibrations
        self._storage = storage
        self._refusals = refusals
        self._faults = faults
        self._by_external_id: defaultdict[str, list[Scene]] = defaultdict(list)

    @property
    def unknown_scenes(self) -> UnknownScenes:
        """What a status query does about scenes that are unknown or not visible yet: respond with 404, or omit them."""
        return self._unknown_scenes

    @unknown_scenes.setter
    def unknown_scenes(self, value: UnknownScenes) -> None:
        if value not in get_args(UnknownScenes):
            raise ValueError(f"unknown_scenes: expected 'refuse' or 'omit', got {value!r}")
        self._unknown_scenes = value

    def create(self, kind: SceneKind, workspace_id: str, body: Body, *, dry_run: bool) -> Scene | None:
        """Create a scene that waits for its files.

        Returns:
            The scene, or None in a dry run.

        Raises:
            BadRequestError: If the body breaks a rule.
            ConflictError: If its internal id was used before.
        """
        spec = read_scene(kind, body)
        self.reservations.check(spec.internal_id, workspace_id)
        self._check_calibration(spec)
        imu = self.reservations.imu_of(spec)
        self._refusals.check("scene", spec.external_id)
        if dry_run:
            return None
        self.reservations.use(spec.internal_id)
        return self._start(kind, workspace_id, spec, imu)

    def create_from_request(self, body: Body) -> Scene:
        """Create a scene with files that may stay in the customer's bucket.

        Returns:
            The scene. It waits for files to upload. If there are none, it needs no commit.

        Raises:
            BadRequestError: If the body breaks a rule.
            NotFoundError: If the workspace is unknown.
        """
        workspace_id, kind, spec = read_scene_request(str(uuid4()), body)
        self._accounts.workspace(workspace_id)
        self._check_calibration(spec)
        self._refusals.check("scene", spec.external_id)
        scene = self._start(kind, workspace_id, spec)
        if not spec.filenames:
            self._process(scene)
        return scene

    def _start(self, kind: SceneKind, workspace_id: str, spec: SceneSpec, imu: Imu | None = None) -> Scene:
        """Add a scene that waits for its files. With a visibility lag, nobody sees it at first."""
        scene = self.add(kind, workspace_id, spec)
        scene.imu = imu
        scene.visible_at = self._timing.clock() + self._timing.visibility_lag
        self.pending += 1
        return scene

    def add(self, kind: SceneKind, workspace_id: str, spec: SceneSpec) -> Scene:
        """Add a valid scene."""
        scene = Scene(
            uuid=spec.internal_id,
            workspace_id=workspace_id,
            kind=kind,
            spec=spec,
            timing=self._timing,
            storage=self._storage,
        )
        self.by_uuid[scene.uuid] = scene
        self._by_external_id[scene.external_id].append(scene)
        return scene

    def _check_calibration(self, spec: SceneSpec) -> None:
        if spec.calibration_id is None:
            return
        calibration = self._calibrations.by_id.get(spec.calibration_id)
        if calibration is None:
            raise BadRequestError(f"calibrationId {spec.calibration_id!r} is unknown")
        calibration.check_covers("camera", spec.cameras)
        calibration.check_covers("lidar", spec.lidars)

    def inspection_of(self, scene_uuid: str, resource_id: str) -> Inspection | None:
        """The inspection of a file that arrives, if any. IMU data arrives before its scene exists."""
        scene = self.by_uuid.get(scene_uuid)
        return None if scene is None else scene.inspection_of(resource_id)

    def upload_urls(self, scene: Scene) -> dict[str, str]:
        """A signed URL for each file of a scene, by resource id. IMU data got its URL earlier."""
        return {name: self._storage.signed_url(f"{scene.prefix}/{name}") for name in scene.spec.filenames}

    def commit(self, scene_uuid: str) -> None:
        """Begin to process a scene that has its files. It need not be visible yet.

        Raises:
            NotFoundError: If there is no such scene.
            ConflictError: If it was committed before.
            BadRequestError: If it is invalidated, or files are missing.
        """
        scene = self.existing_scene(scene_uuid)
        if scene.invalidated is not None:
            raise BadRequestError(f"scene {scene_uuid} is invalidated")
        if scene.ready_at is not None:
            raise ConflictError(f"scene {scene_uuid} is committed already")
        missing = [name for name, stored in scene.known_files.items() if stored is None]
        if missing:
            raise BadRequestError(f"scene {scene_uuid} lacks the files {', '.join(missing)}")
        self._process(scene)

    def _process(self, scene: Scene) -> None:
        """Begin to process a scene that was waiting, or postpone that to a request for its import."""
        self.pending -= 1
        if scene.spec.external and scene.spec.postponed:
            scene.ready_at = self._timing.clock()
            scene.indexed = True
        else:
            self._import(scene)

    def _import(self, scene: Scene) -> None:
        # The result is decided now, and shows when the clock has reached `ready_at`.
        refusal = self._refusals.get("processing", scene.external_id)
        scene.failure = refusal.message if refusal is not None else scene.fault()
        scene.ready_at = self._timing.clock() + self._timing.processing_time
        scene.indexed = False
        match self._faults.strike_scene(scene.external_id):
            case FailProcessing(message):
                scene.failure = message
            case HangProcessing():
                scene.ready_at = math.inf
            case _:
                pass

    def change_status(self, scene_uuid: str, body: Body) -> None:
        """Import an indexed scene, or index an imported one.

        Raises:
            NotFoundError: If there is no such scene.
            BadRequestError: If its status does not allow that.
        """
        scene = self.scene(scene_uuid)
        status = body.fields(("status",))["status"]
        match status.text():
            case "created":
                scene.check_status("indexed")
                self._import(scene)
            case "indexed":
                scene.check_status("created")
                scene.indexed = scene.reindexed = True
            case other:
                raise status.error(f"must be 'created' or 'indexed', got {other!r}")

    def existing_scene(self, scene_uuid: str) -> Scene:
        """The scene with a uuid, visible or not.

        Raises:
            NotFoundError: If there is none.
        """
        found = self.by_uuid.get(scene_uuid)
        if found is None:
            raise NotFoundError(f"scene {scene_uuid} is unknown")
        return found

    def scene(self, scene_uuid: str) -> Scene:
        """The visible scene with a uuid.

        Raises:
            NotFoundError: If there is none, or it is not visible yet. The message is the same.
        """
        found = self.existing_scene(scene_uuid)
        if not found.visible:
            # In the words of `existing_scene`: clients cannot distinguish a hidden scene from none.
            raise NotFoundError(f"scene {scene_uuid} is unknown")
        return found

    def created_scene(self, scene_uuid: str) -> Scene:
        """The created scene with a uuid.

        Raises:
            NotFoundError: If there is none.
            BadRequestError: If it is not `created`.
        """
        scene = self.scene(scene_uuid)
        scene.check_status("created")
        return scene

    def valid_scene(self, scene_uuid: str) -> Scene:
        """The scene with a uuid that is not invalidated.

        Raises:
            NotFoundError: If there is none, or it is invalidated.
        """
        scene = self.scene(scene_uuid)
        if scene.invalidated is not None:
            raise NotFoundError(f"scene {scene_uuid} is {scene.status}")
        return scene

    def ego_poses(self, scene_uuid: str) -> dict[str, Any]:
        """Where the vehicle was, by the id of the frame.

        Raises:
            NotFoundError: If there is no such scene, it is invalidated, or it has no ego poses.
        """
        poses = self.valid_scene(scene_uuid).spec.ego_poses
        if not poses:
            raise NotFoundError(f"scene {scene_uuid} has no ego poses")
        return poses

    def with_external_id(self, external_id: str) -> list[Scene]:
        """The visible scenes with an external id."""
        return [scene for scene in self._by_external_id.get(external_id, ()) if scene.visible]

    def query(self, body: Body) -> list[Scene]:
        """The scenes that a request asks for, by uuid or by external id.

        Raises:
            BadRequestError: If the request does not have exactly one of the lists, or a fault limits it to fewer
                scenes.
            NotFoundError: If a scene is unknown or not visible yet, and such scenes are not omitted.
        """
        fields = body.fields((), ("sceneUuids", "externalIds"))
        if len(fields) != 1:
            raise BadRequestError("pass either sceneUuids or externalIds")
        names = next(iter(fields.values())).texts()
        self._check_length(names)
        look_up = self._with_uuid if "sceneUuids" in fields else self._with_external_id
        found: list[Scene] = []
        for name in dict.fromkeys(names):  # each once, in the order of the request
            try:
                found += look_up(name)
            except NotFoundError:
                if self.unknown_scenes == "refuse":
                    raise
        return found

    def _with_uuid(self, scene_uuid: str) -> list[Scene]:
        return [self.scene(scene_uuid)]

    def _with_external_id(self, external_id: str) -> list[Scene]:
        found = self.with_external_id(external_id)
        if not found:
            raise NotFoundError(f"no scene has the external id {external_id!r}")
        return found

    def _check_length(self, ids: Sequence[str]) -> None:
        limit = self._faults.strike_query(len(ids))
        if limit is not None:
            raise BadRequestError(f"a query may name {limit.most} scenes, not {len(ids)}")

    def invalidate(self, scene_uuids: Iterable[str], reason: str) -> None:
        """Invalidate scenes at the request of a client.

        Raises:
            BadRequestError: If the reason is unknown.
            NotFoundError: If a scene is unknown or not visible yet. Then none is invalidated.
        """
        self.mark_invalidated([self.scene(scene_uuid) for scene_uuid in scene_uuids], reason)

    def mark_invalidated(self, scenes: Iterable[Scene], reason: str) -> None:
        """Invalidate scenes for good. An invalidated scene keeps its first reason.

        Raises:
            BadRequestError: If the reason is unknown.
        """
        if reason not in INVALIDATIONS:
            raise BadRequestError(f"reason must be one of {', '.join(INVALIDATIONS)}, got {reason!r}")
        for scene in scenes:
            if scene.invalidated is None:
                self.pending -= scene.ready_at is None  # a committed scene is not pending
                scene.invalidated = INVALIDATIONS[reason]

    def count_by_status(self) -> dict[str, int]:
        """How many scenes have each status."""
        return dict(Counter(scene.status for scene in self.by_uuid.values()))
