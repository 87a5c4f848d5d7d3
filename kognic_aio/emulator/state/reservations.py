"""What precedes a scene: a reserved uuid, and IMU data."""

from uuid import uuid4

from kognic_aio.emulator.errors import BadRequestError, ConflictError
from kognic_aio.emulator.state.accounts import Accounts
from kognic_aio.emulator.state.body import Body
from kognic_aio.emulator.state.imu import Imu, read_imu
from kognic_aio.emulator.state.scene_body import SceneSpec
from kognic_aio.emulator.state.storage import Storage


class Reservations:
    """The reserved uuids, and the IMU data that was validated for them."""

    def __init__(self, accounts: Accounts, storage: Storage) -> None:
        self._accounts = accounts
        self._storage = storage
        self._workspaces: dict[str, str] = {}
        self._used: set[str] = set()
        self._imu: dict[str, Imu] = {}

    def reserve(self, workspace_id: str) -> str:
        """Reserve the uuid of a future scene in a workspace."""
        self._accounts.workspace(workspace_id)
        scene_uuid = str(uuid4())
        self._workspaces[scene_uuid] = workspace_id
        return scene_uuid

    def check(self, internal_id: str, workspace_id: str) -> None:
        """Check that a uuid is reserved in a workspace, and not used yet.

        Raises:
            NotFoundError: If the workspace is unknown.
            ConflictError: If the scene was created.
            BadRequestError: If the uuid was not reserved.
        """
        self._accounts.workspace(workspace_id)
        if internal_id in self._used:
            raise ConflictError(f"internalId {internal_id} is taken: its scene was created already")
        if self._workspaces.get(internal_id) != workspace_id:
            raise BadRequestError(
                f"internalId {internal_id!r} was not reserved in workspace {workspace_id}: "
                "get one from v1/inputs/initialize"
            )

    def validate_imu(self, workspace_id: str, body: Body, *, dry_run: bool) -> tuple[str, str] | None:
        """Check the IMU data of a reserved scene.

        Returns:
            The resource id for the scene's body and the URL to put the data to; None in a dry run.

        Raises:
            BadRequestError: If the data is not IMU data, or the scene is not reserved.
        """
        fields = body.fields(("imuData", "internalId"))
        scene_uuid = fields["internalId"].text()
        self.check(scene_uuid, workspace_id)
        imu = read_imu(fields["imuData"], resource_id=f"imu-{scene_uuid}.json")
        if dry_run:
            return None
        self._imu[scene_uuid] = imu
        return imu.resource_id, self._storage.signed_url(f"{workspace_id}/{scene_uuid}/{imu.resource_id}")

    def imu_of(self, spec: SceneSpec) -> Imu | None:
        """The IMU data that the body of a scene names, or None.

        Raises:
            BadRequestError: If it was not validated for this scene.
        """
        if spec.imu_id is None:
            return None
        imu = self._imu.get(spec.internal_id)
        if imu is None or imu.resource_id != spec.imu_id:
            raise BadRequestError(f"imuData {spec.imu_id!r} is unknown: get a resource id from v1/imu")
        return imu

    def use(self, internal_id: str) -> None:
        """Mark a reserved uuid as used."""
        del self._workspaces[internal_id]
        self._imu.pop(internal_id, None)
        self._used.add(internal_id)
