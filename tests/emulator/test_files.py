"""An emulator that reads files: which it takes, and with which words processing fails for the others."""

import itertools
import tracemalloc
from collections.abc import AsyncIterator

import pytest

from kognic_aio.emulator import CALIBRATION_ID, Emulator, Platform
from kognic_aio.emulator.files import inspection_of

from . import sample_files as make
from .support import Caller, cloud, image, patched, scene_body
from .test_scene_requests import frame, request

pytestmark = pytest.mark.anyio

HEADER = b"ts_gps,x,y,z,intensity"
ROW = b"1648200140000000051,0.79,-8.4e-1,.63,45"
COLOURED = (b"rgb", b"red,green,blue", b"blue,red,green", b"rgb,red,green,blue", b"green,rgb,blue,red")
HTML = b"<!DOCTYPE html><html><body>Sign in</body></html>"
EXPECTED_HEADER = (
    "must begin with the header ts_gps,x,y,z,intensity (for colours, rgb or red,green,blue or both follow)"
)


def csv(header: bytes = HEADER, *rows: bytes, end: bytes = b"\n") -> bytes:
    return end.join([header, *rows, b""])


GOOD: dict[str, tuple[str, bytes]] = {
    "png": ("a.png", make.png()),
    "jpg": ("a.jpg", make.jpeg()),
    "jpeg": ("a.jpeg", make.jpeg()),
    "capitals": ("A.JPG", make.jpeg()),
    "webp": ("a.webp", make.webp()),
    "avif": ("a.avif", make.avif()),
    "avif by a compatible brand": ("a.avif", make.avif(b"mif1", b"mif1avif")),
    "avif in motion": ("a.avif", make.avif(b"avis", b"avis")),
    "csv": ("a.csv", csv(HEADER, ROW)),
    "csv without points": ("a.csv", csv()),
    "csv without an end of line": ("a.csv", csv(HEADER, ROW).rstrip()),
    "csv with an empty line at its end": ("a.csv", csv(HEADER, ROW, b"")),
    "csv with CRLF": ("a.csv", csv(HEADER, ROW, ROW, end=b"\r\n")),
    "csv with decimals": ("a.csv", csv(HEADER, b"1.648e18,1,2,3,0.25")),
    "csv without intensity": ("a.csv", csv(HEADER, b"1,1,2,3,")),
    "csv without a time": ("a.csv", csv(HEADER, b",1,2,3,4")),
    "csv with spaces": ("a.csv", csv(HEADER, b"1, 1, 2, 3, 4")),
    "csv with nan": ("a.csv", csv(HEADER, b"1,nan,NaN,3,nan")),
    "csv with an index": ("a.csv", csv(b"," + HEADER, b"0," + ROW, b"a," + ROW)),
    "pcd binary": ("a.pcd", make.pcd()),
    "pcd ascii": ("a.pcd", make.pcd(data="ascii")),
    "pcd binary_compressed": ("a.pcd", make.pcd(data="binary_compressed")),
    "pcd organised": ("a.pcd", make.pcd(points=6, height=2)),
    "pcd organised ascii": ("a.pcd", make.pcd(points=6, height=2, data="ascii")),
    "pcd of coordinates": ("a.pcd", make.pcd(fields={"x": "F4", "y": "F4", "z": "F4"})),
    "pcd in another order": ("a.pcd", make.pcd(fields={"rgb": "F4", "z": "F4", "y": "F4", "x": "F4"})),
    "pcd with decimal intensities": ("a.pcd", make.pcd(fields={**make.FIELDS, "intensity": "F4"})),
    "pcd without points": ("a.pcd", make.pcd(points=0)),
    "pcd without what may be left out": (
        "a.pcd",
        make.pcd(changes={"COUNT": None, "VERSION": None, "VIEWPOINT": None}),
    ),
    "pcd ascii with nan and CRLF": (
        "a.pcd",
        make.pcd(data="ascii", fields={"x": "F4", "y": "F4", "z": "F4"}, there=0).replace(b"\n", b"\r\n")
        + b"nan nan -nan\r\n1 -2.5 3e-4\r\n",
    ),
    "las": ("a.las", make.las()),
    "las without points": ("a.las", make.las(points=0)),
    "las with extra bytes": ("a.las", make.las(point_size=40)),
    "laz": ("a.laz", make.laz()),
    "laz 1.4": ("a.laz", make.laz(minor=4, header_size=375)),
}
for _colours in COLOURED:
    _row = ROW + b",7" * (_colours.count(b",") + 1)
    GOOD[f"csv with {_colours.decode()}"] = ("a.csv", csv(HEADER + b"," + _colours, _row))
    GOOD[f"csv with an index and {_colours.decode()}"] = ("a.csv", csv(b"," + HEADER + b"," + _colours, b"0," + _row))
    GOOD[f"csv without values of {_colours.decode()}"] = (
        "a.csv",
        csv(HEADER + b"," + _colours, ROW + b"," * (_colours.count(b",") + 1)),
    )

BAD: dict[str, tuple[str, bytes, str]] = {
    "png called jpg": ("a.jpg", make.png(), "file a.jpg must be JPEG, but is PNG"),
    "jpg called png": ("a.png", make.jpeg(), "file a.png must be PNG, but is JPEG"),
    "webp called avif": ("a.avif", make.webp(), "must be AVIF, but is WebP"),
    "avif called webp": ("a.webp", make.avif(), "must be WebP, but is AVIF"),
    "heic called avif": ("a.avif", make.avif(b"heic", b"mif1heic"), "must be AVIF, but begins with b'"),
    "html called png": ("a.png", HTML, "file a.png must be PNG, but is HTML"),
    "html after a line called jpeg": ("a.jpeg", b"\n  " + HTML.lower(), "must be JPEG, but is HTML"),
    "text called jpg": ("a.jpg", b"not found", "must be JPEG, but begins with b'not found'"),
    "half a signature": ("a.png", b"\x89PNG", "must be PNG, but begins with b'\\x89PNG'"),
    "pdf called png": ("a.png", b"%PDF-1.7", "must be PNG, but is PDF"),
    "text called las": ("a.las", b"some text", "file a.las must be LAS, but begins with b'some text'"),
    "html called las": ("a.las", HTML * 9, "must be LAS, but is HTML"),
    "las that is cut": ("a.las", make.las()[:100], "ends after 100 bytes of its header, which has 227"),
    "las 1.4": ("a.las", make.las(minor=4, header_size=375), "is LAS 1.4, must be LAS 1.2"),
    "las of another format": ("a.las", make.las(point_format=1), "has point format 1, must have point format 3"),
    "las of too small points": ("a.las", make.las(point_size=20), "has points of 20 bytes, format 3 has 34"),
    "las without its last point": ("a.las", make.las(there=2), "ends 34 bytes before the end that its header states"),
    "laz called las": ("a.las", make.laz(), "is compressed: it must be LAS, or its name must end in .laz"),
    "las called laz": ("a.laz", make.las(), "is not compressed: it must be LAZ, or its name must end in .las"),
    "png called laz": ("a.laz", make.png() * 5, "must be LAZ, but is PNG"),
    "text called pcd": ("a.pcd", b"x y z\n1 2 3\n", "file a.pcd must be PCD, but begins with b'x y z'"),
    "html called pcd": ("a.pcd", HTML, "must be PCD, but is HTML"),
    "png called pcd": ("a.pcd", make.png(), "must be PCD, but begins with b'\\x89PNG'"),
    "pcd of comments": ("a.pcd", b"# comment\n" * 1000, "has no DATA in the first 100 lines of its header"),
    "pcd header that is cut": ("a.pcd", make.pcd()[:60], "has no DATA"),
    "pcd with an entry of its own": (
        "a.pcd",
        make.pcd().replace(b"VIEWPOINT", b"VIEW"),
        "has the line b'VIEW 0 0 0 1 0 0 0' in its header, must have one of VERSION FIELDS",
    ),
    "pcd with another field": (
        "a.pcd",
        make.pcd(fields={**make.FIELDS, "ring": "U2"}),
        "has FIELDS x y z intensity timestamp rgb ring, must have x y z and may have intensity timestamp rgb",
    ),
    "pcd without z": ("a.pcd", make.pcd(fields={"x": "F4", "y": "F4"}), "has FIELDS x y, must have x y z"),
    "pcd with a field twice": ("a.pcd", make.pcd(changes={"FIELDS": "x y z z"}), "has FIELDS x y z z"),
    "pcd of doubles": (
        "a.pcd",
        make.pcd(fields={"x": "F8", "y": "F4", "z": "F4"}),
        "has TYPE F and SIZE 8 for x, must have TYPE F and SIZE 4",
    ),
    "pcd with short intensities": (
        "a.pcd",
        make.pcd(fields={**make.FIELDS, "intensity": "U1"}),
        "has TYPE U and SIZE 1 for intensity, must have TYPE U and SIZE 4 or TYPE F and SIZE 4",
    ),
    "pcd with too few sizes": ("a.pcd", make.pcd(changes={"SIZE": "4 4"}), "has SIZE 4 4, must have one for each of"),
    "pcd with fields of several values": (
        "a.pcd",
        make.pcd(changes={"COUNT": "1 1 1 1 1 3"}),
        "has COUNT 1 1 1 1 1 3, must have 1 for each field",
    ),
    "pcd without POINTS": ("a.pcd", make.pcd(changes={"POINTS": None}), "has no POINTS in its header"),
    "pcd with a bad number": ("a.pcd", make.pcd(changes={"WIDTH": "-2"}), "has WIDTH -2 in its header, must have a"),
    "pcd that contradicts itself": (
        "a.pcd",
        make.pcd(changes={"WIDTH": "3"}),
        "has POINTS 2 in its header, but WIDTH 3 and HEIGHT 1",
    ),
    "pcd in another form": (
        "a.pcd",
        make.pcd(changes={"DATA": "zip"}),
        "has DATA zip, must have ascii, binary or binary_compressed",
    ),
    "pcd organised and compressed": (
        "a.pcd",
        make.pcd(points=6, height=2, data="binary_compressed"),
        "is an organised cloud (HEIGHT above 1), which must not be binary_compressed",
    ),
    "pcd binary that is cut": ("a.pcd", make.pcd()[:-1], "has 55 bytes of points, its header says 56"),
    "pcd compressed that is cut": ("a.pcd", make.pcd(data="binary_compressed")[:-1], "bytes of points, its header"),
    "pcd compressed without points": (
        "a.pcd",
        make.pcd(changes={"DATA": "binary_compressed"}, there=0),
        "ends before its points",
    ),
    "pcd compressed of another size": (
        "a.pcd",
        make.pcd(data="binary_compressed", there=1),
        "has 28 bytes of points before compression, its header says 56",
    ),
    "pcd ascii with fewer points": ("a.pcd", make.pcd(data="ascii", there=1), "has 1 points, its header says 2"),
    "pcd ascii with words": (
        "a.pcd",
        make.pcd(data="ascii").replace(b"1.5", b"one", 1),
        "has 'one 1.5 1.5 1 1 1.5' as point 1, must have a number for each of",
    ),
    "csv with a byte order mark": (
        "a.csv",
        b"\xef\xbb\xbf" + csv(HEADER, ROW),
        f"file a.csv {EXPECTED_HEADER}, found '\\ufeffts_gps,x,y,z,intensity'",
    ),
    "csv in UTF-16": ("a.csv", csv(HEADER, ROW).decode().encode("utf-16"), EXPECTED_HEADER),
    "csv without a header": ("a.csv", csv(ROW, ROW), f"{EXPECTED_HEADER}, found '1648200140000000051,0.79,"),
    "csv with another column": ("a.csv", csv(HEADER + b",ring", ROW + b",1"), "found 'ts_gps,x,y,z,intensity,ring'"),
    "csv without a column": ("a.csv", csv(b"ts_gps,x,y,z"), f"{EXPECTED_HEADER}, found 'ts_gps,x,y,z'"),
    "csv in another order": ("a.csv", csv(b"x,y,z,ts_gps,intensity"), "found 'x,y,z,ts_gps,intensity'"),
    "csv with half of the colours": ("a.csv", csv(HEADER + b",red,green"), "found 'ts_gps,x,y,z,intensity,red,green'"),
    "csv with a colour twice": ("a.csv", csv(HEADER + b",red,red,blue"), EXPECTED_HEADER),
    "csv with semicolons": ("a.csv", csv(HEADER.replace(b",", b";")), "found 'ts_gps;x;y;z;intensity'"),
    "csv with words": (
        "a.csv",
        csv(HEADER, ROW, b"1,2,three,4,5"),
        "file a.csv has 'three' as y in line 3, must have a number",
    ),
    "csv without a coordinate": ("a.csv", csv(HEADER, b"1,2,,4,5"), "has '' as y in line 2, must have a number"),
    "csv with a number of words": ("a.csv", csv(HEADER, b"1,2,3,4,1_000"), "has '1_000' as intensity in line 2"),
    "csv with a narrow row": (
        "a.csv",
        csv(HEADER, ROW, ROW, b"1,2,3,4", ROW),
        "has 4 values in line 4, must have 5 as its header",
    ),
    "csv with a wide row": ("a.csv", csv(HEADER, ROW + b",1"), "has 6 values in line 2, must have 5 as its header"),
    "csv with rows without the index": ("a.csv", csv(b"," + HEADER, ROW), "has 5 values in line 2, must have 6"),
    "csv that is html": ("a.csv", HTML, f"{EXPECTED_HEADER}, found '<!DOCTYPE html>"),
    "csv that is binary": ("a.csv", bytes(10_000), f"{EXPECTED_HEADER}, found '\\x00\\x00"),
    "csv with a long header": (
        "a.csv",
        csv(HEADER + b",red" * 100),
        "found 'ts_gps,x,y,z,intensity" + ",red" * 10 + ",r'",
    ),
    "csv with a binary tail": (
        "a.csv",
        csv(HEADER, ROW) + b"\xff" * 9000,
        "has a line of more than 4096 bytes, which is not text",
    ),
}


@pytest.fixture
def platform(platform: Platform) -> Platform:
    platform.storage.reads_files = True
    return platform


def scene_with(filename: str) -> tuple[str, dict[str, object]]:
    """The type and the body of a scene of one file."""
    if filename.lower().endswith((".csv", ".pcd", ".las", ".laz")):
        return "lidars", patched(scene_body("lidars"), "frame.pointClouds", [cloud(filename)])
    return "cameras", patched(scene_body("cameras"), "frame.images", [image(filename)])


async def processed(caller: Caller, filename: str, content: bytes) -> tuple[str, str | None]:
    """Upload a file as a scene; return the scene's status and the platform's explanation."""
    created = (await caller.create(*scene_with(filename))).data
    await caller.upload_and_commit(created, content)
    (scene,) = (await caller.post("v2/scenes/query", {"sceneUuids": [created["internalId"]]})).data
    return scene["status"], scene.get("errorMessage")


@pytest.mark.parametrize("name", GOOD)
async def test_good_files(caller: Caller, name: str) -> None:
    """A file that is what its name says lets its scene be created."""
    assert await processed(caller, *GOOD[name]) == ("created", None)


@pytest.mark.parametrize("name", BAD)
async def test_bad_files(caller: Caller, name: str) -> None:
    """A file that is not what its name says is stored, and processing fails: file, what was found, what is expected."""
    filename, content, message = BAD[name]
    status, explanation = await processed(caller, filename, content)
    assert status == "failed"
    assert f"file {filename} " in str(explanation)
    assert message in str(explanation)


@pytest.mark.parametrize("size", [1, 7, 64])
def test_pieces_do_not_matter(size: int) -> None:
    """What is said of a file does not depend on the pieces in which it arrives."""
    for filename, content, expected in [(*good, None) for good in GOOD.values()] + list(BAD.values()):
        inspection = inspection_of(filename, whole=True)
        assert inspection is not None
        for start in range(0, len(content), size):
            inspection.feed(content[start : start + size])
        inspection.finish()
        if expected is None:
            assert inspection.fault is None, (filename, inspection.fault)
        else:
            assert f"file {filename} {inspection.fault}".find(expected) >= 0, (expected, inspection.fault)


@pytest.mark.parametrize("name", ["png called jpg", "text called las", "html called pcd", "pcd of doubles"])
async def test_made_up_bytes_without_reading(caller: Caller, platform: Platform, name: str) -> None:
    """An emulator that does not read files takes any bytes for any file but a CSV."""
    platform.storage.reads_files = False
    assert await processed(caller, *BAD[name][:2]) == ("created", None)


async def test_csv_without_reading(caller: Caller, platform: Platform) -> None:
    """An emulator that does not read files looks at the header of a CSV, and at nothing behind it."""
    platform.storage.reads_files = False
    assert await processed(caller, "a.csv", csv(HEADER, b"no numbers")) == ("created", None)
    assert (await processed(caller, *GOOD["csv with an index and green,rgb,blue,red"]))[0] == "created"
    status, explanation = await processed(caller, "a.csv", csv(HEADER + b",ring"))
    assert (status, explanation) == ("failed", f"file a.csv {EXPECTED_HEADER}, found 'ts_gps,x,y,z,intensity,ring'")


async def test_the_file_that_was_put_last(caller: Caller, platform: Platform) -> None:
    """A file that was put again is what it was the last time."""
    created = (await caller.create(*scene_with("a.png"))).data
    (url,) = created["files"].values()
    assert (await caller.put(url, HTML)).status == 200
    await caller.upload_and_commit(created, make.png())
    assert platform.scene(created["internalId"]).status == "created"


async def test_the_name_is_the_customers(caller: Caller) -> None:
    """The explanation names the file, not its resource id."""
    body = patched(scene_body("cameras"), "frame.images.0.resourceId", "folder/front")
    created = (await caller.create(body=body)).data
    await caller.upload_and_commit(created, HTML)
    (scene,) = (await caller.post("v2/scenes/query", {"sceneUuids": [created["internalId"]]})).data
    assert scene["errorMessage"] == "file 0.jpg must be JPEG, but is HTML"


async def test_files_of_the_newer_kind(caller: Caller) -> None:
    """Files of a scene request are read too, but for its IMU data, which may have any name."""
    one = frame(0, clouds=False)
    body = patched(request(one), "calibrationId", CALIBRATION_ID)
    body["convertedSpecification"]["imuData"] = {"localFilename": "imu.csv"}
    created = (await caller.post("v2/scenes", body)).data
    urls = dict(created["signedUploadUrls"])
    assert (await caller.put(urls["imu.csv"], b'[{"timestamp": 1}]')).status == 200
    assert (await caller.put(urls["0.jpg"], make.png())).status == 200
    assert (await caller.post(f"v1/inputs/{created['id']}/actions/commit")).status == 200
    (scene,) = (await caller.post("v2/scenes/query", {"sceneUuids": [created["id"]]})).data
    assert (scene["status"], scene["errorMessage"]) == ("failed", "file 0.jpg must be JPEG, but is PNG")


async def test_argument_of_the_emulator() -> None:
    """It is an argument of the emulator, false unless it is given, and kept by a platform."""
    platform = Platform()
    assert not platform.storage.reads_files
    async with Emulator(platform=platform, reads_files=True):
        pass
    async with Emulator(platform=platform):
        assert platform.storage.reads_files


@pytest.mark.parametrize(
    ("filename", "beginning", "piece"),
    [
        ("a.csv", csv(), csv(ROW) * 1000),
        ("a.pcd", make.pcd(data="ascii", points=9**9, there=0), b"1.5 1.5 1.5 1 1 1.5\n" * 1000),
        ("a.pcd", make.pcd(points=9**9, there=0), bytes(50_000)),
        ("a.las", make.las(points=9**9, there=0), bytes(50_000)),
        ("a.jpg", make.jpeg(), bytes(50_000)),
        ("a.csv", csv(), b"\xff" * 50_000),
    ],
)
def test_memory_is_bounded(filename: str, beginning: bytes, piece: bytes) -> None:
    """Reading a file of 2 MB takes less than 500 kB, whatever it is."""
    inspection = inspection_of(filename, whole=True)
    assert inspection is not None
    tracemalloc.start()
    try:
        for chunk in itertools.chain([beginning], itertools.repeat(piece, 2_000_000 // len(piece))):
            inspection.feed(chunk)
        inspection.finish()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 500_000


async def test_large_files_arrive_whole(caller: Caller, platform: Platform) -> None:
    """A file that arrives in many pieces over the socket is read to its end."""

    async def pieces(last: bytes) -> AsyncIterator[bytes]:
        yield csv()
        for _ in range(50):
            yield csv(ROW) * 1000
        yield last

    async def fault_of(last: bytes) -> str | None:
        created = (await caller.create(*scene_with("a.csv"))).data
        (url,) = created["files"].values()
        assert (await caller.put(url, pieces(last))).status == 200
        assert (await caller.post(f"v1/inputs/{created['internalId']}/actions/commit")).status == 200
        return platform.scene(created["internalId"]).failure

    assert await fault_of(csv(ROW)) is None
    assert await fault_of(b"the end") == "file a.csv has 1 values in line 50002, must have 5 as its header"
