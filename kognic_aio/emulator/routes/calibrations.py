"""Calibrations."""

from typing import Any

from kognic_aio.emulator.routing import Call, Routes

routes = Routes()


@routes.post("v1/calibrations", keeps=True)
def create_calibration(call: Call) -> dict[str, Any]:
    """Create a calibration."""
    workspace = call.platform.accounts.workspace(call.query("workspaceId"))
    return call.platform.calibrations.create(workspace.id, call.body).to_json()


@routes.get("v1/calibrations")
def get_calibrations(call: Call) -> dict[str, Any] | list[dict[str, Any]]:
    """Get one calibration by id, or list those with an external id, or all."""
    calibrations = call.platform.calibrations
    calibration_id = call.request.query.get("id")
    if calibration_id is not None:
        return calibrations.calibration(calibration_id).to_json()
    found = calibrations.list(call.request.query.get("externalId"))
    return [calibration.to_json() for calibration in found]
