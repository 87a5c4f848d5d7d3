"""A run of kognic-io, the official client."""

from kognic.io.client import KognicIOClient
from kognic.io.model.scene import Cameras, Image
from kognic.io.model.scene.cameras import Frame
from kognic.io.tools.input_creation import create_inputs
from kognic.io.tools.model import InputCreationStatus, SceneWithPreAnnotation

from benchmarks.cases import PROJECT
from benchmarks.order import Order
from benchmarks.stopwatch import Stopwatch


def make_scene(external_id: str, filenames: list[str]) -> SceneWithPreAnnotation:
    """Make a scene with one image per file, each of its own sensor."""
    images = [Image(filename=name, sensor_name=f"CAM{i}") for i, name in enumerate(filenames)]
    return SceneWithPreAnnotation(scene=Cameras(external_id=external_id, frame=Frame(images=images)))


def run(order: Order) -> None:
    """Create all scenes and their inputs."""
    scenes = [make_scene(*scene) for scene in order.scenes.items()]
    stopwatch = Stopwatch()
    client = KognicIOClient(**order.options)
    for result in create_inputs(client, scenes, PROJECT):
        stopwatch.result(created=result.status is InputCreationStatus.CREATED)
    stopwatch.stop()


if __name__ == "__main__":
    run(Order.take())
