"""Setting up what customers bring: projects, calibrations, scenes, inputs, pre-annotations."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Literal
from uuid import uuid4

from kognic_aio.emulator.state.annotations import ANNOTATION_TYPE
from kognic_aio.emulator.state.calibrations import SensorKind, simple_sensor
from kognic_aio.emulator.state.input import Input
from kognic_aio.emulator.state.parts import Parts
from kognic_aio.emulator.state.pre_annotation import PreAnnotation, empty_openlabel
from kognic_aio.emulator.state.projects import Project
from kognic_aio.emulator.state.scene_body import simple_spec
from kognic_aio.emulator.state.scene_kinds import KINDS
from kognic_aio.emulator.state.seeds import WORKFORCE, WORKSPACE_ID


class InputSetup(Parts):
    """A platform in which one may put what is to be annotated, whatever the rules that bind clients say."""

    def add_project(
        self,
        project: str,
        *,
        id: str | None = None,  # noqa: A002 - the platform's own name for it
        title: str | None = None,
        description: str = "",
        status: str = "active",
        annotation_types: Iterable[str] = (ANNOTATION_TYPE,),
    ) -> str:
        """Add a project without batches, and return its id.

        Args:
            project: its external id.
            id: a fixed uuid, which lists of requests go by; by default a new one.
            title: by default the external id.
            description: anything.
            status: the project's status, which no rule looks at.
            annotation_types: those that its first batch will have.

        Raises:
            ConflictError: it exists already.
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
        workforce: Collection[int] = WORKFORCE,
        flexible_workflow: bool = True,
    ) -> list[str]:
        """Add a batch to a project, and return the ids of its requests.

        Args:
            project: external id of the project.
            batch: external id of the batch.
            title: by default the batch's external id.
            status: pending, open, ready, in-progress, completed or archived.
            requests: how many requests it has; each makes one input of a scene.
            annotation_types: by default those of the batch before it, or of the project.
            workforce: ids of the users that tasks may be assigned to.
            flexible_workflow: whether its requests tell the progress of their inputs.

        Raises:
            NotFoundError: the project is unknown.
            ConflictError: the batch exists already.
        """
        added = self.projects.add_batch(project, batch, title=title, status=status, annotation_types=annotation_types)
        for _ in range(requests):
            self.projects.add_request(added, workforce, flexible_workflow=flexible_workflow)
        return [request.id for request in added.requests]

    def add_calibration(
        self,
        external_id: str,
        sensors: Mapping[str, SensorKind | Mapping[str, Any]],
        id: str | None = None,  # noqa: A002 - the platform's own name for it
    ) -> str:
        """Add a calibration and return its id.

        Args:
            external_id: the customer's name for it.
            sensors: by the sensor's name `camera` or `lidar`, which stand for plain ones, or its whole content
                as the wire has it.
            id: a fixed id; by default a new one.

        Raises:
            ConflictError: the id exists already.
            BadRequestError: a content breaks a rule.
        """
        contents = {
            name: simple_sensor(sensor) if isinstance(sensor, str) else sensor for name, sensor in sensors.items()
        }
        return self.calibrations.add(WORKSPACE_ID, external_id, contents, id).id

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
        """Add a scene without files that is created already, and return its uuid.

        Args:
            external_id: the customer's name for it.
            uuid: a fixed uuid; by default a new one.
            path: its type, as in the path that creates one.
            frames: how many frames a sequence has, 100 ms apart, with ego poses if it has lidars.
            indexed: whether its files are still to be imported from the customer's bucket.
            failure: why it could not be processed; None stands for a scene that could.
        """
        kind = {kind.path: kind for kind in KINDS}[path]
        spec = simple_spec(kind, uuid or str(uuid4()), external_id, frames)
        if kind.calibrated:
            spec.calibration_id = next(iter(self.calibrations.by_id), None)
        scene = self.scenes.add(kind, WORKSPACE_ID, spec)
        scene.ready_at = self.timing.clock()
        scene.indexed, scene.failure = indexed, failure
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
        scene = self.scenes.existing_scene(scene_uuid)
        return self.inputs.add_to_batch(scene, self.projects.batch(project, batch), uuid=uuid)

    def add_pre_annotation(
        self,
        scene_uuid: str,
        content: Mapping[str, Any] | None = None,
        *,
        external_id: str | None = None,
        status: Literal["available", "indexed"] = "available",
        id: str | None = None,  # noqa: A002 - the platform's own name for it
    ) -> str:
        """Add a pre-annotation of a scene, and return its id.

        Args:
            scene_uuid: the scene.
            content: OpenLABEL; by default some without any object. That of an indexed one can be got once it
                is imported.
            external_id: the customer's name for it; by default its id.
            status: `indexed` if it is still to be imported.
            id: a fixed id; by default a new one.

        Raises:
            NotFoundError: the scene is unknown.
            ConflictError: the scene has one with this external id.
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
