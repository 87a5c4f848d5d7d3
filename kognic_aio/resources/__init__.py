"""The platform's resources: flat modules of thin methods. All seven scene types share one class, `SceneCreator`."""

from kognic_aio.scenes.backend import Backend


class ApiResource:
    """Base of all resources."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._api = backend.api
        self._visibility = backend.visibility
