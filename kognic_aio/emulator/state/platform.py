"""The platform as a whole: what users do to set it up and to look at it."""

from collections.abc import Mapping
from typing import Self

from kognic_aio.emulator.state import seeds
from kognic_aio.emulator.state.accounts import Organization, Workspace
from kognic_aio.emulator.state.calibrations import SensorKind
from kognic_aio.emulator.state.input import Input
from kognic_aio.emulator.state.parts import PAGE_SIZE
from kognic_aio.emulator.state.refusals import Step
from kognic_aio.emulator.state.scene import Scene
from kognic_aio.emulator.state.setup_inputs import InputSetup
from kognic_aio.emulator.state.setup_work import WorkSetup
from kognic_aio.emulator.state.storage import StoredObject
from kognic_aio.emulator.state.timing import Timing


class Platform(InputSetup, WorkSetup):
    """Everything the platform knows, in memory and without HTTP.

    The parts (`accounts`, `projects`, `calibrations`, `storage`, `scenes`, `pre_annotations`, `inputs`,
    `workflow`, `annotations`, `reviews`) hold the rules that requests meet; the methods are for those who set a
    platform up or look at it. `InputSetup` has those that add what customers bring, `WorkSetup` those that let
    it be annotated.

    Args:
        timing: clock and durations; by default the monotonic clock and no processing time.
        page_size: how many items a page of an answer has at most, unless its request says.
    """

    def __init__(self, timing: Timing | None = None, *, page_size: int = PAGE_SIZE) -> None:
        super().__init__(timing, page_size=page_size)
        self.accounts.workspaces[seeds.WORKSPACE_ID] = Workspace(
            id=seeds.WORKSPACE_ID,
            external_id="workspace",
            name="Workspace",
            organization=Organization(id=seeds.ORGANIZATION_ID, name="organization"),
        )

    @classmethod
    def seeded(cls, timing: Timing | None = None, *, page_size: int = PAGE_SIZE) -> Self:
        """A platform with the projects, batches and inputs of the platform's guide, and some of everything else."""
        platform = cls(timing, page_size=page_size)
        _seed_inputs(platform)
        _seed_work(platform)
        return platform

    @property
    def workspace_id(self) -> str:
        """The id of the one workspace that a platform starts with."""
        return seeds.WORKSPACE_ID

    @property
    def objects(self) -> Mapping[str, StoredObject]:
        """Every stored file, by `<workspace>/<scene>/<resource id>`."""
        return self.storage.objects

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
        """Invalidate a scene, whether clients can see it yet or not.

        Args:
            scene_uuid: the scene.
            reason: bad-content, duplicate or incorrectly-created.

        Raises:
            NotFoundError: the scene is unknown.
        """
        self.scenes.mark_invalidated([self.scenes.existing_scene(scene_uuid)], reason)

    def revoke_tokens(self) -> None:
        """Make every token issued so far invalid: the next request of each client gets a 401."""
        self.accounts.revoke_tokens()

    def scene(self, scene_uuid: str) -> Scene:
        """The scene with a uuid.

        Raises:
            NotFoundError: there is none.
        """
        return self.scenes.existing_scene(scene_uuid)

    def input(self, input_uuid: str) -> Input:
        """The input with a uuid.

        Raises:
            NotFoundError: there is none, or none any more.
        """
        return self.inputs.input(input_uuid)


def _seed_inputs(platform: Platform) -> None:
    for project, batches in seeds.BATCHES.items():
        platform.add_project(project, id=seeds.PROJECT_IDS[project])
        for batch, status in batches.items():
            platform.add_batch(project, batch, status=status)
    sensors: dict[str, SensorKind] = dict.fromkeys(seeds.CAMERAS, "camera")
    sensors.update(dict.fromkeys(seeds.LIDARS, "lidar"))
    platform.add_calibration(seeds.CALIBRATION_EXTERNAL_ID, sensors, id=seeds.CALIBRATION_ID)
    for index, uuid in enumerate(seeds.INPUT_UUIDS, start=1):
        platform.add_scene(f"seeded-{index}", uuid=uuid)
        platform.add_input(uuid, "project-a", "batch-2", uuid=uuid)


def _seed_work(platform: Platform) -> None:
    """Let the first seeded input be annotated and reviewed, and the second wait for its annotator."""
    annotated, waiting = seeds.INPUT_UUIDS
    platform.add_pre_annotation(annotated, seeds.ANNOTATION, external_id="seeded", id=seeds.PRE_ANNOTATION_ID)
    platform.add_annotation(annotated, seeds.ANNOTATION, id=seeds.ANNOTATION_ID)
    for name, rules in seeds.ERROR_TYPES.items():
        platform.add_error_type(name, id=name, **rules)
    platform.add_auto_review(annotated, seeds.FEEDBACK_ITEMS)
    platform.add_task(waiting, id=seeds.TASK_ID)
