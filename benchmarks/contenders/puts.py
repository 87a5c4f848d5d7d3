"""The floor of the uploads: only the PUTs, over 32 bare connections. The scenes are started before the clock."""

from benchmarks.contenders.order import Order
from benchmarks.contenders.protocol import AT_ONCE
from benchmarks.contenders.sockets import Http, Script, Sockets
from benchmarks.contenders.stopwatch import Stopwatch
from benchmarks.contenders.wire import Account


def run(order: Order) -> None:
    """Upload all files."""
    stopwatch = Stopwatch(order.case.scenes)
    account = Account.log_in(order)
    uploads = [*account.start_scenes(order)]
    http = Http(account.host)
    sockets = Sockets(http.address, AT_ONCE)

    def upload(file: str, url: str) -> Script:
        yield [http.put(url, file)]

    stopwatch.opened()
    sockets.run((upload(file, url) for file, url in uploads), AT_ONCE)
    stopwatch.created(order.case.scenes)
    stopwatch.stop()


if __name__ == "__main__":
    run(Order.take())
