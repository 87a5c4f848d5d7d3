"""The endpoints: a module per subject, each with its `routes`."""

from kognic_aio.emulator.routes import (
    accounts,
    calibrations,
    inputs,
    pre_annotations,
    projects,
    scenes,
    storage,
)

__all__ = ["ROUTES"]

ROUTES = (
    *accounts.routes,
    *calibrations.routes,
    *inputs.routes,
    *pre_annotations.routes,
    *projects.routes,
    *scenes.routes,
    *storage.routes,
)
