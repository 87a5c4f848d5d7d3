"""What the process of a contender is told to do."""

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from attrs import evolve, frozen
from cattrs import structure

from benchmarks.cases import Case, Plan
from benchmarks.child import client_options, take_order
from benchmarks.contenders import Settings


@frozen(kw_only=True)
class Order:
    """The work of one process.

    Args:
        options: The keyword arguments of a client for the platform.
        authority: Path of the certificate that signed the platform's, if it speaks TLS.
        case: The scenes to create.
        folder: Where their files are.
        settings: How to run kognic_aio.
    """

    options: dict[str, Any]
    authority: str | None
    case: Case
    folder: str
    settings: Settings

    @classmethod
    def take(cls) -> Self:
        """Read the order of the parent process."""
        order = structure(take_order(), cls)
        return evolve(order, options=client_options(order.options))

    @property
    def plans(self) -> Iterator[Plan]:
        """The scenes to create."""
        return self.case.plans(Path(self.folder))

    @property
    def tls(self) -> ssl.SSLContext | None:
        """The context that trusts the platform; None if it does not speak TLS."""
        return None if self.authority is None else ssl.create_default_context(cafile=self.authority)
