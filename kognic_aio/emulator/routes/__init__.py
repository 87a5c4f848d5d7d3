"""The endpoints: a module for each subject, with its `routes`."""

from kognic_aio.emulator.routes import (
    accounts,
    annotations,
    calibrations,
    inputs,
    pre_annotations,
    projects,
    reviews,
    scenes,
    storage,
    workflow,
)

__all__ = ["ROUTES"]

ROUTES = (
    *accounts.routes,
    *annotations.routes,
    *calibrations.routes,
    *inputs.routes,
    *pre_annotations.routes,
    *projects.routes,
    *reviews.routes,
    *scenes.routes,
    *storage.routes,
    *workflow.routes,
)
