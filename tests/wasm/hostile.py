"""Modules that take more than they give: memory, time, words."""

from tests.wasm.modules import NAME, PINHOLE, module, projecting

NOTHING = "f64.const 0 f64.const 0"


def forever(body: str, before: str = "") -> bytes:
    return projecting(f"(loop $again {body} (br $again)) unreachable", before=before)


def padded(size: int) -> bytes:
    """A good module with a section that nobody reads, as names and debug information are."""
    section = b"\x01x" + bytes(size)
    return PINHOLE + b"\0" + leb128(len(section)) + section


def leb128(number: int) -> bytes:
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + leb128(rest) if rest else bytes([low])


def bloated(functions: int) -> bytes:
    """Many small functions, which take wasmtime some hundred times their size to compile."""
    one = "(func (param f64) (result f64) (f64.sqrt (f64.add (local.get 0) (f64.const {}))))"
    return projecting(NOTHING, before="".join(map(one.format, range(functions))))


def nested(depth: int) -> bytes:
    return projecting("block " * depth + "end " * depth + NOTHING)


def branching(count: int) -> bytes:
    """A function of many variables, of which every branch changes one."""
    step = "(if (local.get 0) (then (local.set {} (i64.add (local.get {}) (i64.const 3)))))"
    steps = "".join(step.format(1 + index % count, 1 + index * 7 % count) for index in range(4 * count))
    return projecting(NOTHING, before=f"(func (param i32) (local {'i64 ' * count}) {steps})")


BULK = {
    "memory.fill": forever("(memory.fill (i32.const 0) (i32.const 1) (i32.const 0x3ffffff))", "(memory 1024)"),
    "memory.copy": forever("(memory.copy (i32.const 0) (i32.const 1) (i32.const 0x3ffffff))", "(memory 1024)"),
    "memory.init": forever(
        "(memory.init 0 (i32.const 0) (i32.const 0) (i32.const 60000))", f'(memory 1) (data "{"a" * 60000}")'
    ),
    "memory.grow": forever("(drop (memory.grow (i32.const 0)))", "(memory 1)"),
    "table.fill": forever("(table.fill 0 (i32.const 0) (ref.null func) (i32.const 100000))", "(table 100000 funcref)"),
    "table.copy": forever("(table.copy (i32.const 0) (i32.const 1) (i32.const 99999))", "(table 100000 funcref)"),
    "table.init": forever(
        "(table.init 0 (i32.const 0) (i32.const 0) (i32.const 5000))",
        f"(table 5000 funcref) (func $f) (elem func {'$f ' * 5000})",
    ),
    "table.grow": forever("(drop (table.grow 0 (ref.null func) (i32.const 0)))", "(table 1 funcref)"),
}
"""One instruction each that does much: it has to be paid for by what it does."""

SLOW = projecting(
    "(local $left i32) (local.set $left (i32.const 4000000))"
    " (loop $again (drop (memory.grow (i32.const 0)))"
    f" (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1))))) {NOTHING}",
    before="(memory 1)",
)
"""Takes long for each point, though not as many instructions as it may."""

TOO_MANY = {
    "memories": projecting(NOTHING, before="(memory 1024)" * 20),
    "tables": projecting(NOTHING, before="(table 100000 funcref)" * 20),
    "elements": projecting(NOTHING, before="(table 100001 funcref)"),
    "memory64": projecting(NOTHING, before="(memory i64 1024)"),
    "shared": projecting(NOTHING, before="(memory 1 1024 shared)"),
    "segment": projecting(NOTHING, before='(memory 1) (data (i32.const 0) "' + "a" * 65537 + '")'),
    "garbage": projecting(
        NOTHING, before="(type $a (array (mut i64))) (func (drop (array.new $a (i64.const 1) (i32.const 100000000))))"
    ),
}
SLOW_FILL = module(
    f"(memory 1024) (func $start (loop $l (memory.fill (i32.const 0) (i32.const 1) (i32.const 0x3ffffff)) (br $l)))"
    f" (start $start) (func (export {NAME}) (param f64 f64 f64) (result f64 f64) {NOTHING})"
)
FORGER = module('(func (export "\\1b[2J\\0aError: \\e2\\80\\ae")) (func (export "' + "a" * 100_000 + '"))')
CROWD = module("".join(f'(func (export "f{index}"))' for index in range(5000)))
BEGGAR = module("".join(f'(import "\\1b[2J" "f{index}" (func))' for index in range(5000)))
