"""`curl --parallel`: only the PUTs, as people upload by hand. The scenes are started before the clock."""

import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.contenders.order import Order
from benchmarks.contenders.stopwatch import Stopwatch
from benchmarks.contenders.wire import Account

OPTIONS = (
    "--parallel",
    "--parallel-max",
    "32",
    "--fail",
    "--silent",
    "--show-error",
    "--no-progress-meter",
    "--header",
    "Expect:",
)


def run(order: Order, config: Path) -> None:
    """Upload all files. The config file of curl will name them."""
    stopwatch = Stopwatch(order.case.scenes)
    uploads = Account.log_in(order).start_scenes(order)
    config.write_text("".join(f'upload-file = "{file}"\nurl = "{url}"\n' for file, url in uploads), encoding="utf-8")
    authority = [] if order.authority is None else ["--cacert", order.authority]
    stopwatch.opened()
    subprocess.run(["curl", *OPTIONS, *authority, "--config", str(config)], check=True)  # noqa: S607  # whichever it is
    stopwatch.created(order.case.scenes)
    stopwatch.stop()


if __name__ == "__main__":
    with TemporaryDirectory(prefix="benchmark-") as scratch:
        run(Order.take(), Path(scratch, "curl.config"))
