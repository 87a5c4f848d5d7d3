"""Create an input from each image in a folder.

    python examples/create_inputs.py FOLDER --project my-project --batch my-batch --journal images.journal
    python examples/create_inputs.py FOLDER --emulator

The first talks to the platform. It finds credentials in the file that KOGNIC_CREDENTIALS names, in KOGNIC_CLIENT_ID
and KOGNIC_CLIENT_SECRET, or in the keyring. Run again with the same journal, it goes on where it was. The second needs
none: it brings a platform of its own.
"""

import argparse
import asyncio
from collections.abc import Iterator
from pathlib import Path

from kognic_aio import InputCreationStatus, KognicIOClient, create_inputs
from kognic_aio.emulator import Emulator
from kognic_aio.model import Cameras, Image


def scenes(folder: Path) -> Iterator[Cameras]:
    """A scene for each image. They are made as they are needed, so there may be any number of them."""
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in Image.SUFFIXES:
            yield Cameras(external_id=path.stem, frame=Cameras.Frame(images=[Image(filename=str(path))]))


async def create(client: KognicIOClient, args: argparse.Namespace) -> bool:
    """Create the inputs, and tell whether all went well."""
    good = True
    results = create_inputs(client, scenes(args.folder), args.project, batch=args.batch, journal=args.journal)
    async for result in results:
        if result.status is InputCreationStatus.CREATED:
            print(f"{result.external_id}: created input {result.input_uuid}")
        elif result.error is not None:
            print(f"{result.external_id}: failed at {result.error.stage.value}: {result.error.message}")
        else:
            print(f"{result.external_id}: is still {result.status.value}")
        good = good and result.status is InputCreationStatus.CREATED
    if skipped := results.progress.skipped_failed:
        print(f"{skipped} failed in an earlier run and were skipped; retry_failed=True would start them afresh")
    return good and not skipped


async def main() -> bool:
    """Read the arguments and open a client."""
    parser = argparse.ArgumentParser(description="Create an input from each image in a folder.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--project", default="project-a")
    parser.add_argument("--batch", help="the open one by default, if there is only one")
    parser.add_argument("--journal", help="a file that remembers what is done, so that the script can be run again")
    parser.add_argument("--emulator", action="store_true", help="run on a local platform")
    args = parser.parse_args()
    if args.emulator:
        async with Emulator() as emulator, KognicIOClient(**emulator.client_options()) as client:
            return await create(client, args)
    async with KognicIOClient() as client:
        return await create(client, args)


if __name__ == "__main__":
    raise SystemExit(0 if asyncio.run(main()) else 1)
