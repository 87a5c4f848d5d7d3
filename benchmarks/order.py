"""The order that a client process gets from its parent."""

from typing import Any, Self

from attrs import frozen

from benchmarks.cases import Scenes
from benchmarks.child import client_options, take_order


@frozen
class Order:
    """The work of one client process.

    Args:
        options: The keyword arguments of its client.
        scenes: The scenes to create.
        samples: Numbers of results after which to read the memory.
    """

    options: dict[str, Any]
    scenes: Scenes
    samples: tuple[int, ...] = ()

    @classmethod
    def take(cls) -> Self:
        """Read the order of the parent process. JSON turned its tuples into lists."""
        order = take_order()
        options = client_options(order["options"])
        return cls(options, order["scenes"], tuple(order.get("samples", ())))
