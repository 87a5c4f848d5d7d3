"""The platform as a whole: its parts, and what users do to set it up and to look at it."""

from collections.abc import Mapping
from typing import Any, Self
from uuid import uuid4

from kognic_aio.emulator.state import seeds
from kognic_aio.emulator.state.accounts import Accounts, Organization, Workspace
from kognic_aio.emulator.state.calibrations import Calibrations, SensorKind, simple_sensor
from kognic_aio.emulator.state.inputs import Input, Inputs
from kognic_aio.emulator.state.pre_annotations import PreAnnotations
from kognic_aio.emulator.state.projects import Projects
from kognic_aio.emulator.state.refusals import Refusals, Step
from kognic_aio.emulator.state.scene import Scene
from kognic_aio.emulator.state.scene_body import SceneSpec
from kognic_aio.emulator.state.scene_kinds import KINDS
from kognic_aio.emulator.state.scenes import Scenes
from kognic_aio.emulator.state.storage import Storage, StoredObject
from kognic_aio.emulator.state.timing import Timing

PAGE_SIZE = 1000


class Platform:
    """Everything the platform knows, in memory and without HTTP.

    The parts (`accounts`, `projects`, `calibrations`, `storage`, `scenes`, `inputs`, `pre_annotations`) hold
    the rules that requests meet; the methods here are for those who set a platform up or look at it.

    Args:
        timing: clock and durations; by default the monotonic clock and no processing time.
        page_size: how many items a page of an answer has at most.
    """

    def __init__(self, timing: Timing | None = None, *, page_size: int = PAGE_SIZE) -> None:
        self.timing = timing or Timing()
        self.page_size = page_size
        self.refusals = Refusals()
        self.accounts = Accounts(self.timing)
        self.projects = Projects()
        self.calibrations = Calibrations()
        self.storage = Storage(self.timing)
        self.scenes = Scenes(self.timing, self.accounts, self.calibrations, self.storage, self.refusals)
        self.inputs = Inputs(self.scenes, self.projects, self.refusals)
        self.pre_annotations = PreAnnotations(self.scenes, self.refusals)
        self.accounts.workspaces[seeds.WORKSPACE_ID] = Workspace(
            id=seeds.WORKSPACE_ID,
            external_id="workspace",
            name="Workspace",
            organization=Organization(id=seeds.ORGANIZATION_ID, name="organization"),
        )

    @classmethod
    def seeded(cls, timing: Timing | None = None, *, page_size: int = PAGE_SIZE) -> Self:
        """A platform with the projects, batches and inputs of the platform's guide and one calibration."""
        platform = cls(timing, page_size=page_size)
        for project, batches in seeds.BATCHES.items():
            platform.add_project(project)
            for batch, status in batches.items():
                platform.add_batch(project, batch, status=status)
        sensors: dict[str, SensorKind] = dict.fromkeys(seeds.CAMERAS, "camera")
        sensors.update(dict.fromkeys(seeds.LIDARS, "lidar"))
        platform.add_calibration(seeds.CALIBRATION_EXTERNAL_ID, sensors, id=seeds.CALIBRATION_ID)
        for index, uuid in enumerate(seeds.INPUT_UUIDS, start=1):
            platform.add_scene(f"seeded-{index}", uuid=uuid)
            platform.add_input(uuid, "project-a", "batch-2", uuid=uuid)
        return platform

    @property
    def workspace_id(self) -> str:
        """The id of the one workspace that a platform starts with."""
        return seeds.WORKSPACE_ID

    @property
    def objects(self) -> Mapping[str, StoredObject]:
        """Every stored file, by `<workspace>/<scene>/<resource id>`."""
        return self.storage.objects

    def add_project(
        self, project: str, *, title: str | None = None, description: str = "", status: str = "active"
    ) -> None:
        """Add a project without batches.

        Args:
            project: its external id.
            title: by default the external id.
            description: anything.
            status: the project's status, which no rule looks at.

        Raises:
            ConflictError: it exists already.
        """
        self.projects.add(project, title or project, description, status)

    def add_batch(
        self, project: str, batch: str, *, title: str | None = None, status: str = "open", requests: int = 1
    ) -> None:
        """Add a batch to a project.

        Args:
            project: external id of the project.
            batch: external id of the batch.
            title: by default the batch's external id.
            status: pending, open, ready, in-progress, completed or archived.
            requests: how many requests it has; each makes one input of a scene.

        Raises:
            NotFoundError: the project is unknown.
            ConflictError: the batch exists already.
        """
        self.projects.add_batch(project, batch, title or batch, status, requests)

    def add_calibration(
        self,
        external_id: str,
        sensors: Mapping[str, SensorKind],
        id: str | None = None,  # noqa: A002 - the platform's own name for it
    ) -> str:
        """Add a calibration of plain sensors and return its id.

        Args:
            external_id: the customer's name for it.
            sensors: `camera` or `lidar` by the sensor's name.
            id: a fixed id; by default a new one.

        Raises:
            ConflictError: the id exists already.
        """
        contents = {name: simple_sensor(kind) for name, kind in sensors.items()}
        return self.calibrations.add(self.workspace_id, external_id, contents, id).id

    def add_scene(self, external_id: str, *, uuid: str | None = None, path: str = "cameras") -> str:
        """Add a scene without files that is created already, and return its uuid.

        Args:
            external_id: the customer's name for it.
            uuid: a fixed uuid; by default a new one.
            path: its type, as in the path that creates one.
        """
        kind = {kind.path: kind for kind in KINDS}[path]
        spec = SceneSpec(internal_id=uuid or str(uuid4()), external_id=external_id)
        scene = self.scenes.add(kind, self.workspace_id, spec)
        scene.ready_at = self.timing.clock()
        return scene.uuid

    def add_input(self, scene_uuid: str, project: str, batch: str, *, uuid: str | None = None) -> list[Input]:
        """Add the inputs of a scene to a batch of any status, one per request.

        Args:
            scene_uuid: the scene.
            project: external id of the project.
            batch: external id of the batch.
            uuid: a fixed uuid for the first of them; by default a new one.

        Raises:
            NotFoundError: the scene, the project or the batch is unknown.
        """
        return self.inputs.add(self.scenes.scene(scene_uuid), self.projects.batch(project, batch), uuid)

    def refuse(self, step: Step, external_id: str, message: str, status: int = 400) -> None:
        """Let one step of one scene go wrong from now on.

        Args:
            step: `scene` (its creation is refused), `processing` (it becomes failed), `pre-annotation` or
                `input` (their creation is refused).
            external_id: the scene's.
            message: what the platform says.
            status: the HTTP status of the refusal; means nothing for `processing`.
        """
        self.refusals.add(step, external_id, message, status)

    def invalidate_scene(self, scene_uuid: str, reason: str = "incorrectly-created") -> None:
        """Invalidate a scene.

        Args:
            scene_uuid: the scene.
            reason: bad-content, duplicate or incorrectly-created.

        Raises:
            NotFoundError: the scene is unknown.
        """
        self.scenes.invalidate([scene_uuid], reason)

    def revoke_tokens(self) -> None:
        """Make every token issued so far invalid: the next request of each client gets a 401."""
        self.accounts.revoke_tokens()

    def scene(self, scene_uuid: str) -> Scene:
        """The scene with a uuid.

        Raises:
            NotFoundError: there is none.
        """
        return self.scenes.scene(scene_uuid)

    def summary(self) -> dict[str, Any]:
        """How much there is of everything, as plain JSON."""
        return {
            "tokens_issued": self.accounts.tokens_issued,
            "scenes": self.scenes.count_by_status(),
            "inputs": sum(1 for _ in self.inputs),
            "pre_annotations": len(self.pre_annotations.by_id),
            "objects": len(self.objects),
            "stored_bytes": sum(stored.size for stored in self.objects.values()),
        }
