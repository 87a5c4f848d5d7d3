"""The rules for a pre-annotation: OpenLABEL 1.0.0 that fits its scene.

`shapes` has the building blocks of rules. `data` and `elements` say what OpenLABEL consists of. `references` checks
that all names are declared, and `fit` that what is declared belongs to the scene. `data` and `elements` take and refuse
what `kognic-openlabel` takes and refuses, except where they are stricter on purpose:

- A cuboid has 10 values. The standard also permits Euler angles, with 9 values.
- Numbers are numbers and bools are bools, as in OpenLABEL's own JSON schema. `kognic-openlabel` also takes `"1.5"`,
  `true` and `"yes"`, and converts them.

`references` and `fit` go beyond `kognic-openlabel`, which knows no scene and follows no references.
"""

from kognic_aio.emulator.state.body import Body
from kognic_aio.emulator.state.openlabel.elements import annotation
from kognic_aio.emulator.state.openlabel.fit import check_fit
from kognic_aio.emulator.state.openlabel.references import check_references
from kognic_aio.emulator.state.scene import Scene

__all__ = ["check_openlabel"]


def check_openlabel(content: Body, scene: Scene) -> None:
    """Check that `content` is OpenLABEL for a scene.

    Raises:
        BadRequestError: If it is not; the message says where and why.
    """
    try:
        annotation(content)
    except RecursionError:
        raise content.error("is nested too deeply") from None
    openlabel = content.fields(("openlabel",))["openlabel"]
    check_references(openlabel)
    check_fit(openlabel, scene)
