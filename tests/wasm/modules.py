"""Modules, good and bad, in the text format of WebAssembly."""

from wasmtime import wat2wasm

from kognic_aio.model.calibration import Point2d, Point3d, TestCase

POINT = (1.0, 2.0, 1.0)


def module(text: str) -> bytes:
    return bytes(wat2wasm(f"(module {text})"))


def projecting(body: str, *, before: str = "") -> bytes:
    """A module whose function has the right name and signature, and this body."""
    function = "(func $project (export {}) (param $x f64) (param $y f64) (param $z f64) (result f64 f64)"
    return module(f"{before} {function.format(NAME)} {body})")


def known(point: tuple[float, float, float], projected: tuple[float, float]) -> TestCase:
    (x, y, z), (u, v) = point, projected
    return TestCase(point3d=Point3d(x=x, y=y, z=z), point2d=Point2d(x=u, y=v))


NAME = '"project_point_to_image"'

PINHOLE = projecting(
    """
    (f64.add (f64.const 320) (f64.mul (f64.const 100) (f64.div (local.get $x) (local.get $z))))
    (f64.add (f64.const 240) (f64.mul (f64.const 100) (f64.div (local.get $y) (local.get $z))))
    """
)
"""What the sources in `sources` do as well."""

PINHOLE_CASES = [known(POINT, (420.0, 440.0)), known((-1.5, 0.5, 2.0), (245.0, 265.0))]

NAN = projecting("f64.const nan f64.const inf")
TRAP = projecting("unreachable")
TRAP_FAR_AWAY = projecting(
    "(if (f64.gt (local.get $z) (f64.const 50)) (then unreachable)) (local.get $x) (local.get $y)"
)
ENDLESS = projecting("(loop $again (br $again)) unreachable")
BOTTOMLESS = projecting("(call $project (local.get $x) (local.get $y) (local.get $z))")
GREEDY = projecting(
    "(loop $more (br_if $more (i32.ne (memory.grow (i32.const 100)) (i32.const -1)))) unreachable", before="(memory 1)"
)
HOG = projecting("f64.const 0 f64.const 0", before="(memory 65536)")
SLOW_START = projecting("f64.const 0 f64.const 0", before="(func $start (loop $again (br $again))) (start $start)")
IMPORTING = projecting(
    "f64.const 0 f64.const 0",
    before='(import "env" "sin" (func (param f64) (result f64)))'
    ' (import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))',
)
MANGLED = module('(func (export "_Z22project_point_to_imageddd"))')
EMPTY = module("")
NO_FUNCTION = module(f"(global (export {NAME}) i32 (i32.const 1))")
SINGLE = module(f"(func (export {NAME}) (param f64 f64) (result f32) unreachable)")
THROUGH_MEMORY = module(f"(func (export {NAME}) (param i32 f64 f64 f64))")

BEHIND = projecting(
    "(if (result f64) (f64.gt (local.get $z) (f64.const 0)) (then (local.get $x)) (else (f64.const nan)))"
    " (if (result f64) (f64.gt (local.get $z) (f64.const 0)) (then (local.get $y)) (else (f64.const nan)))"
)
"""Sees nothing behind the camera, which it says with NaN."""
