"""A run of kognic-io, the official client."""

from kognic.io.client import KognicIOClient
from kognic.io.model.scene import Cameras, CamerasSequence, Image
from kognic.io.model.scene.cameras import Frame
from kognic.io.model.scene.cameras_sequence import Frame as SequenceFrame
from kognic.io.tools.input_creation import create_inputs
from kognic.io.tools.model import InputCreationStatus, SceneWithPreAnnotation

from benchmarks.cases import PROJECT, Plan
from benchmarks.contenders.order import Order
from benchmarks.contenders.stopwatch import Stopwatch


def make_scene(plan: Plan) -> SceneWithPreAnnotation:
    """Make the scene of a plan."""
    frames = [
        [Image(filename=name, sensor_name=f"CAM{i}") for i, name in enumerate(filenames)] for filenames in plan.frames
    ]
    if len(frames) == 1:
        return SceneWithPreAnnotation(scene=Cameras(external_id=plan.external_id, frame=Frame(images=frames[0])))
    sequence = [
        SequenceFrame(frame_id=str(number), relative_timestamp=100 * number, images=images)
        for number, images in enumerate(frames)
    ]
    return SceneWithPreAnnotation(scene=CamerasSequence(external_id=plan.external_id, frames=sequence))


def run(order: Order) -> None:
    """Create all inputs. It takes a list of scenes, which is made inside the run if the case streams them."""
    scenes = [] if order.case.is_streamed else [make_scene(plan) for plan in order.plans]
    stopwatch = Stopwatch(order.case.scenes)
    client = KognicIOClient(**order.options)
    stopwatch.opened()
    for result in create_inputs(client, scenes or [make_scene(plan) for plan in order.plans], PROJECT):
        stopwatch.created(result.status is InputCreationStatus.CREATED)
    stopwatch.stop()


if __name__ == "__main__":
    run(Order.take())
