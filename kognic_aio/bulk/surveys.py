"""Checks all scenes of a source, on all cores and in bounded memory."""

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from functools import partial
from itertools import chain, islice
from multiprocessing import parent_process
from threading import Thread
from typing import TypeAlias

from kognic_aio.bulk.check import examined
from kognic_aio.bulk.description import DescribedScene, read_scene
from kognic_aio.bulk.folder import Folder
from kognic_aio.bulk.manifest import Line
from kognic_aio.bulk.source import Source, located, unique

Place: TypeAlias = Line | Folder

ALONE = 50
"""Scenes that are checked before other processes are started, which takes longer than that."""

BATCH = 20
"""Scenes that a process checks at once."""

AHEAD = 4
"""Batches per process that are begun."""


def survey(
    source: Source, *, motion_compensation: bool = True, processes: int | None = None
) -> Iterator[DescribedScene]:
    """Check the scenes of a manifest or folder, and yield each with its problems, in order. It blocks.

    Args:
        source: Paths of manifests and folders, as for `read`.
        motion_compensation: As for `check_scene`.
        processes: Processes to check in. By default as many as there are cores.

    Yields:
        The name, the place and the problems of each scene, without the scene itself.

    Raises:
        InvalidError: If the source is missing, empty, or neither a manifest nor a folder of scenes.
    """
    check = partial(_checked, motion_compensation=motion_compensation)
    places: Iterator[Place] = iter(located(source))
    batches = iter(lambda: list(islice(places, BATCH)), [])
    alone = chain.from_iterable(map(check, islice(batches, -(-ALONE // BATCH))))
    rest = _in_processes(check, batches, processes or os.cpu_count() or 1)
    seen: dict[str, str] = {}
    return (unique(scene, seen) for scene in chain(alone, rest))


def _checked(places: Sequence[Place], *, motion_compensation: bool) -> list[DescribedScene]:
    """Check some scenes. Their descriptions and files are not kept: other processes would have to send them."""
    scenes = [examined(read_scene(place.describe()), motion_compensation=motion_compensation) for place in places]
    return [DescribedScene(name=scene.name, place=scene.place, problems=scene.problems) for scene in scenes]


def _end_with_parent() -> None:
    """End this process when the one that has started it does, even by a signal."""
    Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _in_processes(
    check: "partial[list[DescribedScene]]", batches: Iterator[list[Place]], processes: int
) -> Iterator[DescribedScene]:
    first = next(batches, None)
    if first is None:
        return
    if processes == 1:
        yield from chain.from_iterable(map(check, chain([first], batches)))
        return
    with ProcessPoolExecutor(processes, initializer=_end_with_parent) as pool:
        begun = deque[Future[list[DescribedScene]]]()
        try:
            for batch in chain([first], batches):
                begun.append(pool.submit(check, batch))
                if len(begun) > AHEAD * processes:
                    yield from begun.popleft().result()
            while begun:
                yield from begun.popleft().result()
        finally:
            for future in begun:
                future.cancel()
