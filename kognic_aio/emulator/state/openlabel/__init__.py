"""The rules for a pre-annotation: OpenLABEL 1.0.0 that fits its scene.

`shapes` has what rules are made of, `data` and `elements` say what OpenLABEL consists of, `references` that what is
named is declared, and `fit` that what is declared is of the scene. The first two take what `kognic-openlabel` takes
and refuse what it refuses, but where they are stricter on purpose:

- A cuboid has 10 values; the standard permits Euler angles too, with which it has 9.
- Numbers are numbers and bools are bools, as OpenLABEL's own JSON schema has it: `kognic-openlabel` also takes
  `"1.5"`, `true` and `"yes"`, and converts them.

`references` and `fit` are rules of their own: `kognic-openlabel` knows no scene, and follows no reference.
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
        BadRequestError: it is not; the message says where and why.
    """
    try:
        annotation(content)
    except RecursionError:
        raise content.error("is nested too deeply") from None
    openlabel = content.fields(("openlabel",))["openlabel"]
    check_references(openlabel)
    check_fit(openlabel, scene)
