"""The platform as a whole: what users do to set it up and to look at it."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Literal, Self
from uuid import uuid4

from kognic_aio.emulator.faults import Faults
from kognic_aio.emulator.rate_limit import RateLimit
from kognic_aio.emulator.state import seeds
from kognic_aio.emulator.state.accounts import Accounts
from kognic_aio.emulator.state.annotations import ANNOTATION_TYPE, Annotation, Annotations
from kognic_aio.emulator.state.body import Body
from kognic_aio.emulator.state.calibrations import Calibrations, SensorKind, simple_sensor
from kognic_aio.emulator.state.input import Input
from kognic_aio.emulator.state.inputs import Inputs
from kognic_aio.emulator.state.pre_annotation import PreAnnotation, empty_openlabel
from kognic_aio.emulator.state.pre_annotations import PreAnnotations
from kognic_aio.emulator.state.progress import PhaseName, TaskType
from kognic_aio.emulator.state.projects import Project, Projects
from kognic_aio.emulator.state.refusals import Refusals, Step
from kognic_aio.emulator.state.reviews import ErrorType, Reviews
from kognic_aio.emulator.state.room import Room
from kognic_aio.emulator.state.scene import Scene
from kognic_aio.emulator.state.scene_body import simple_spec
from kognic_aio.emulator.state.scene_kinds import KINDS
from kognic_aio.emulator.state.scenes import Scenes
from kognic_aio.emulator.state.storage import Storage, StoredObject
from kognic_aio.emulator.state.timing import Timing
from kognic_aio.emulator.state.workflow import Workflow

PAGE_SIZE = 1000


class Platform:
    """Everything the platform knows, in memory and without HTTP.

    The parts (`accounts`, `projects`, `calibrations`, `storage`, `scenes`, `pre_annotations`, `inputs`,
    `workflow`, `annotations`, `reviews`) hold the rules that requests meet. The methods are for those who set a
    platform up or look at it: what they add is not bound by the rules for clients.

    Args:
        timing: Clock and durations; by default the monotonic clock and no processing time.
        page_size: Items on a page of a response, unless its request says how many.
    """

    def __init__(self, timing: Timing | None = None, *, page_size: int = PAGE_SIZE) -> None:
        self.timing = timing or Timing()
        self.page_size = page_size
        self.refusals = Refusals()
        self.faults = Faults()
        self.room = Room()
        self.rate_limit: RateLimit | None = None
        self.accounts = Accounts(self.timing)
        self.projects = Projects()
        self.calibrations = Calibrations()
        self.storage = Storage(self.timing)
        self.scenes = Scenes(self.timing, self.accounts, self.calibrations, self.storage, self.refusals, self.faults)
        self.pre_annotations = PreAnnotations(self.timing, self.scenes, self.refusals)
        self.inputs = Inputs(self.scenes, self.projects, self.pre_annotations, self.refusals)
        self.workflow = Workflow(self.projects, self.inputs)
        self.annotations = Annotations(self.timing, self.storage, self.scenes, self.projects, self.inputs)
        self.reviews = Reviews(self.annotations, self.inputs, self.workflow)

    @classmethod
    def seeded(cls, timing: Timing | None = None, *, page_size: int = PAGE_SIZE) -> Self:
        """A platform with the projects, batches and inputs of the platform's guide, and some of everything else."""
        platform = cls(timing, page_size=page_size)
        seeds.add_inputs(platform)
        seeds.add_work(platform)
        return platform

    def summary(self) -> dict[str, Any]:
        """Counts of everything, as plain JSON."""
        objects = self.storage.objects
        return {
            "tokens_issued": self.accounts.tokens_issued,
            "scenes": self.scenes.count_by_status(),
            "inputs": sum(1 for _ in self.inputs),
            "pre_annotations": len(self.pre_annotations.by_id),
            "objects": len(objects),
            "faults": dict(self.faults.injected),
            "stored_bytes": sum(stored.size for stored in objects.values()),
        }

    @property
    def workspace_id(self) -> str:
        """The id of the one workspace that a platform starts with."""
        return seeds.WORKSPACE_ID

    @property
    def objects(self) -> Mapping[str, StoredObject]:
        """Every stored file, by `<workspace>/<scene>/<resource id>`."""
        return self.storage.objects

    def refuse(self, step: Step, external_id: str, message: str, status: int = 400, *, only: str | None = None) -> None:
        """Make a step of a scene fail from now on.

        Args:
            step: `scene`, `pre-annotation` or `input`, whose creation is refused, or `processing`, which fails.
            external_id: External id of the scene.
            message: The platform's explanation.
            status: The HTTP status of the refusal; not used for `processing`.
            only: External id of the one project whose inputs, or of the one pre-annotation, that is refused.
        """
        self.refusals.add(step, external_id, message, status, only)

    def invalidate_scene(self, scene_uuid: str, reason: str = "incorrectly-created") -> None:
        """Invalidate a scene, whether clients can see it yet or not.

        Args:
            scene_uuid: The scene.
            reason: `bad-content`, `duplicate` or `incorrectly-created`.

        Raises:
            NotFoundError: If the scene is unknown.
        """
        self.scenes.mark_invalidated([self.scenes.existing_scene(scene_uuid)], reason)

    def revoke_tokens(self) -> None:
        """Make all tokens invalid: the next request of each client gets a 401."""
        self.accounts.revoke_tokens()

    def scene(self, scene_uuid: str) -> Scene:
        """The scene with a uuid.

        Raises:
            NotFoundError: If there is none.
        """
        return self.scenes.existing_scene(scene_uuid)

    def input(self, input_uuid: str) -> Input:
        """The input with a uuid.

        Raises:
            NotFoundError: If no such input exists now.
        """
        return self.inputs.input(input_uuid)

    def add_project(
        self,
        project: str,
        *,
        id: str | None = None,  # noqa: A002  # the platform's own name for it
        title: str | None = None,
        description: str = "",
        status: str = "active",
        annotation_types: Iterable[str] = (ANNOTATION_TYPE,),
    ) -> str:
        """Add a project without batches, and return its id.

        Args:
            project: Its external id.
            id: Its uuid, which lists of requests use; by default a new one.
            title: By default the external id.
            description: Any text.
            status: Any status; no rule looks at it.
            annotation_types: Those of its first batch.

        Raises:
            ConflictError: If it exists already.
        """
        added = Project(
            id=id or str(uuid4()),
            project=project,
            title=title or project,
            description=description,
            status=status,
            own_annotation_types=list(annotation_types),
        )
        return self.projects.add(added).id

    def add_batch(
        self,
        project: str,
        batch: str,
        *,
        title: str | None = None,
        status: str = "open",
        requests: int = 1,
        annotation_types: Iterable[str] | None = None,
        workforce: Collection[int] = seeds.WORKFORCE,
        flexible_workflow: bool = True,
    ) -> list[str]:
        """Add a batch to a project, and return the ids of its requests.

        Args:
            project: External id of the project.
            batch: External id of the batch.
            title: By default the batch's external id.
            status: `pending`, `open`, `ready`, `in-progress`, `completed` or `archived`.
            requests: How many requests it has. Each scene has one input per request.
            annotation_types: By default those of the previous batch, or of the project.
            workforce: Ids of the users that tasks may be assigned to.
            flexible_workflow: Whether its requests report the progress of their inputs.

        Raises:
            NotFoundError: If the project is unknown.
            ConflictError: If the batch exists already.
        """
        added = self.projects.add_batch(project, batch, title=title, status=status, annotation_types=annotation_types)
        for _ in range(requests):
            self.projects.add_request(added, workforce, flexible_workflow=flexible_workflow)
        return [request.id for request in added.requests]

    def add_calibration(
        self,
        external_id: str,
        sensors: Mapping[str, SensorKind | Mapping[str, Any]],
        id: str | None = None,  # noqa: A002  # the platform's own name for it
    ) -> str:
        """Add a calibration and return its id.

        Args:
            external_id: The customer's name for it.
            sensors: The sensors by name: `camera` or `lidar` for a plain one, or the whole content as on the wire.
            id: By default a new one.

        Raises:
            ConflictError: If the id exists already.
            BadRequestError: If a sensor breaks a rule.
        """
        contents = {
            name: simple_sensor(sensor) if isinstance(sensor, str) else sensor for name, sensor in sensors.items()
        }
        return self.calibrations.add(seeds.WORKSPACE_ID, external_id, contents, id).id

    def add_scene(
        self,
        external_id: str,
        *,
        uuid: str | None = None,
        path: str = "cameras",
        frames: int = 2,
        indexed: bool = False,
        failure: str | None = None,
    ) -> str:
        """Add a created scene without files, and return its uuid.

        Args:
            external_id: The customer's name for it.
            uuid: By default a new one.
            path: Its type, as in the path of the request that creates one.
            frames: How many frames a sequence has, 100 ms apart, with ego poses if it has lidars.
            indexed: Whether its files have yet to be imported from the customer's bucket.
            failure: Why it could not be processed; None if it could.
        """
        kind = {kind.path: kind for kind in KINDS}[path]
        spec = simple_spec(kind, uuid or str(uuid4()), external_id, frames)
        if kind.calibrated:
            spec.calibration_id = next(iter(self.calibrations.by_id), None)
        scene = self.scenes.add(kind, seeds.WORKSPACE_ID, spec)
        scene.ready_at = self.timing.clock()
        scene.indexed, scene.failure = indexed, failure
        return scene.uuid

    def add_input(self, scene_uuid: str, project: str, batch: str, *, uuid: str | None = None) -> list[Input]:
        """Add the inputs of a scene to a batch of any status, one per request.

        Args:
            scene_uuid: The scene.
            project: External id of the project.
            batch: External id of the batch.
            uuid: The uuid of the first input; by default a new one.

        Raises:
            NotFoundError: If the scene, the project or the batch is unknown.
        """
        scene = self.scenes.existing_scene(scene_uuid)
        return self.inputs.add_to_batch(scene, self.projects.batch(project, batch), uuid=uuid)

    def add_pre_annotation(
        self,
        scene_uuid: str,
        content: Mapping[str, Any] | None = None,
        *,
        external_id: str | None = None,
        status: Literal["available", "indexed"] = "available",
        id: str | None = None,  # noqa: A002  # the platform's own name for it
    ) -> str:
        """Add a pre-annotation of a scene, and return its id.

        Args:
            scene_uuid: The scene.
            content: OpenLABEL; by default without objects. An indexed one must be imported before clients get it.
            external_id: The customer's name for it; by default its id.
            status: `indexed` if it has yet to be imported.
            id: By default a new one.

        Raises:
            NotFoundError: If the scene is unknown.
            ConflictError: If the scene has one with this external id.
        """
        new_id = id or str(uuid4())
        new = PreAnnotation(
            id=new_id,
            external_id=external_id or new_id,
            scene=self.scenes.existing_scene(scene_uuid),
            content=dict(content or empty_openlabel()),
            ready_at=self.timing.clock() if status == "available" else None,
            timing=self.timing,
        )
        return self.pre_annotations.add(new).id

    def add_task(
        self,
        input_uuid: str,
        type: TaskType = "annotate",  # noqa: A002  # as in a response's taskType
        *,
        phase: PhaseName = "annotate",
        assigned_user_id: int | None = None,
        ongoing: bool = False,
        id: str | None = None,  # noqa: A002  # the platform's own name for it
    ) -> str:
        """Give an input its next task, and return the task's id. A completed input is in progress again.

        Args:
            input_uuid: The input.
            type: `annotate`, `correct` or `review`.
            phase: `annotate`, `review`, `client-automatic-review` or `integration-review`.
            assigned_user_id: A user of the workforce; by default nobody.
            ongoing: Whether work on it has begun.
            id: By default a new one.

        Raises:
            NotFoundError: If the input is unknown.
            ConflictError: If the input has a task that is not completed.
            BadRequestError: If the user is not of the request's workforce.
        """
        task = self.workflow.add_task(self.inputs.input(input_uuid), type, phase, assigned_user_id, id)
        if ongoing:
            self.workflow.start_task(task.id)
        return task.id

    def start_task(self, task_id: str) -> None:
        """Begin the work on a task. It can no longer be assigned, and its input is in progress.

        Raises:
            NotFoundError: If there is no such task.
            BadRequestError: If it is completed.
        """
        self.workflow.start_task(task_id)

    def complete_task(self, task_id: str, *, last: bool = True) -> None:
        """Complete a task.

        Args:
            task_id: The task.
            last: Whether this completes its input too. If not, the input waits for its next task.

        Raises:
            NotFoundError: If there is no such task.
            BadRequestError: If it is completed already.
        """
        self.workflow.complete_task(task_id, last=last)

    def add_annotation(
        self,
        input_uuid: str,
        content: Any = None,
        *,
        annotation_type: str = ANNOTATION_TYPE,
        preliminary: bool = False,
        id: str | None = None,  # noqa: A002  # the platform's own name for it
    ) -> str:
        """Add an annotation of an input, and return its id.

        A delivered annotation completes the input, and replaces an earlier one of the same type.

        Args:
            input_uuid: The input.
            content: What clients get; by default OpenLABEL without objects.
            annotation_type: One of the project's, or any other.
            preliminary: Whether it is not delivered yet. Then only its id finds it, and the input is in progress.
            id: By default a new one.

        Raises:
            NotFoundError: If the input is unknown.
            ConflictError: If the id exists already.
        """
        added = Annotation(
            id=id or str(uuid4()),
            input=self.inputs.input(input_uuid),
            annotation_type=annotation_type,
            preliminary=preliminary,
            content=empty_openlabel() if content is None else content,
        )
        return self.annotations.add(added).id

    def add_error_type(
        self,
        name: str,
        *,
        pin_allowed: bool = True,
        object_allowed: bool = True,
        id: str | None = None,  # noqa: A002  # the platform's own name for it
    ) -> str:
        """Add a type of error for reviews, and return its id.

        Args:
            name: Its name for people.
            pin_allowed: Whether a finding may point at a place.
            object_allowed: Whether a finding may name an object.
            id: By default a new one.

        Raises:
            ConflictError: If the id exists already.
        """
        added = ErrorType(id=id or str(uuid4()), name=name, pin_allowed=pin_allowed, object_allowed=object_allowed)
        return self.reviews.add_error_type(added).id

    def add_auto_review(
        self, input_uuid: str, feedback_items: Iterable[Mapping[str, Any]] = (), *, accepted: bool = False
    ) -> str:
        """Add a review by a customer's automatic check of an input, and return its id.

        Args:
            input_uuid: The input.
            feedback_items: Its findings, in the form in which clients send reviews.
            accepted: Whether it accepts the annotation.

        Raises:
            NotFoundError: If the input is unknown.
            BadRequestError: If a finding breaks a rule.
        """
        findings = Body([dict(item) for item in feedback_items], "feedbackItems")
        return self.reviews.add_automatic(self.inputs.input(input_uuid), findings, accepted=accepted).id
