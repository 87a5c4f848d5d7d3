"""What is wrong with a scene, where, and what to do."""

from enum import StrEnum

from attrs import frozen


class Severity(StrEnum):
    """How much a problem matters: a scene with an ERROR is not uploaded, one with WARNINGs is."""

    ERROR = "error"
    WARNING = "warning"


@frozen(kw_only=True)
class Problem:
    """Something that is wrong with a scene, or may be.

    Args:
        code: The kind of the problem, such as `missing-file`.
        severity: How much it matters.
        scene: The external id of the scene, or its place in the source if it has none.
        frame: The id of the frame.
        file: The file, or the place in the manifest, such as `scenes.jsonl:17`.
        message: What is wrong.
        hint: What to do.
    """

    code: str
    severity: Severity = Severity.ERROR
    scene: str = ""
    frame: str | None = None
    file: str | None = None
    message: str
    hint: str | None = None

    @property
    def is_error(self) -> bool:
        """Whether the scene is not uploaded."""
        return self.severity is Severity.ERROR

    def __str__(self) -> str:
        frame = None if self.frame is None else f"frame {self.frame}"
        place = ", ".join(part for part in (frame, self.file) if part)
        return (f"{place}: " if place else "") + self.message + (f"; {self.hint}" if self.hint else "")
