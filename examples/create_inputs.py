"""Create an input from each image in a folder.

    python examples/create_inputs.py FOLDER --project my-project --batch my-batch --journal images.journal
    python examples/create_inputs.py FOLDER --emulator

The first command runs against the platform. It finds credentials in the file that KOGNIC_CREDENTIALS names, in
KOGNIC_CLIENT_ID and KOGNIC_CLIENT_SECRET, or in the keyring. Run it again with the same journal to resume it. The
second command needs no credentials: it starts an emulator.
"""

import argparse
import asyncio
from collections.abc import Iterator
from pathlib import Path

from kognic_aio import InputCreationStatus, KognicIOClient, create_inputs
from kognic_aio.emulator import Emulator
from kognic_aio.model import Cameras, Image


def scenes(folder: Path) -> Iterator[Cameras]:
    """Yield a scene for each image. Scenes are made lazily, so the folder may be of any size."""
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in Image.SUFFIXES:
            yield Cameras(external_id=path.stem, frame=Cameras.Frame(images=[Image(filename=str(path))]))


async def create(client: KognicIOClient, args: argparse.Namespace) -> bool:
    """Create the inputs, and return whether all of them were created."""
    good = True
    results = create_inputs(
        client,
        scenes(args.folder),
        args.project,
        batch=args.batch,
        journal=args.journal,
        retry_failed=args.retry_failed,
    )
    async for result in results:
        if result.status is InputCreationStatus.CREATED:
            print(f"{result.external_id}: created input {result.input_uuid}")
        elif result.error is not None:
            print(f"{result.external_id}: error at stage {result.error.stage.value}: {result.error.message}")
        else:
            print(f"{result.external_id}: is still {result.status.value}")
        good = good and result.status is InputCreationStatus.CREATED
    if skipped := results.progress.skipped_failed:
        print(f"{skipped} failed in an earlier run and were skipped; --retry-failed starts them afresh")
    return good and not skipped


async def main() -> bool:
    """Parse the arguments, open a client and create the inputs."""
    parser = argparse.ArgumentParser(description="Create an input from each image in a folder.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--project", default="project-a")
    parser.add_argument("--batch", help="by default the open one, if there is only one")
    parser.add_argument("--journal", help="a file that records progress, so that the script can resume")
    parser.add_argument("--retry-failed", action="store_true", help="also retry what failed before; needs --journal")
    parser.add_argument("--emulator", action="store_true", help="run against a local emulator")
    args = parser.parse_args()
    if args.emulator:
        async with Emulator(reads_files=True) as emulator, KognicIOClient(**emulator.client_options()) as client:
            return await create(client, args)
    async with KognicIOClient() as client:
        return await create(client, args)


if __name__ == "__main__":
    raise SystemExit(0 if asyncio.run(main()) else 1)
