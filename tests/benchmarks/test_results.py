"""Results as a file, as tables, as plots and as pages."""

from pathlib import Path

from benchmarks import pages, plots, tables
from benchmarks.child import ROOT
from benchmarks.machine import Origin
from benchmarks.results import load, save
from tests.benchmarks.support import COMPARED, ENCRYPTED, GRID, GROWTH, RESULTS


def cells(table: str) -> list[list[str]]:
    """The cells of the first table in a text, without its rule."""
    rows = [line.strip("| ").split("|") for line in table.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in (rows[0], *rows[2:])]


def test_a_table_is_aligned() -> None:
    """Columns are as wide as their widest cell: text is flush left, numbers are flush right."""
    table = tables.markdown(["name", "n"], [["a", "1"], ["longer", "1,000"]])
    assert table.splitlines() == [
        "| name   |     n |",
        "| ------ | ----: |",
        "| a      |     1 |",
        "| longer | 1,000 |",
    ]


def test_a_comparison() -> None:
    """Medians, and how they compare with those of the floor and of kognic_aio."""
    head, *rows = cells(tables.comparison([COMPARED]))
    assert head[:4] == ["contender", "seconds", "/ floor", "/ kognic_aio"]
    assert [row[:4] for row in rows] == [
        ["kognic_aio", "3.00", "2.00", "1.00"],
        ["kognic-io", "30.00", "20.00", "10.00"],
        ["floor", "1.50", "1.00", "0.50"],
    ]
    assert "The protocol needs 500 requests" in tables.comparison([COMPARED])


def test_over_tls() -> None:
    """Throughput and CPU time for a gigabyte, as multiples of curl's."""
    _, *rows = cells(tables.encrypted([ENCRYPTED]))
    assert rows == [
        ["kognic_aio", "2.00", "500", "0.50", "1.00", "1.00"],
        ["kognic_aio-uvloop", "4.00", "250", "0.25", "1.00", "1.00"],
        ["curl", "1.00", "1,000", "1.00", "1.00", "1.00"],
    ]


def test_the_grid() -> None:
    """Each cell has the default over the best of the fixed limits; one that did not run is left out."""
    _, first, *_ = cells(tables.grid(GRID))
    assert first == ["20 kB", "10", "70", "5.50", "50.00", "-", "-", "5.00", "1.10"]


def test_growth() -> None:
    """Costs are those of a scene, or of a file of a sequence."""
    by_scene, by_file = tables.growth(GROWTH).split("\n\n")
    assert cells(by_scene)[1] == ["kognic_aio", "100", "10.00", "10.00", "3.0", "5.00"]
    assert cells(by_file)[1] == ["kognic_aio", "1,800", "0.56", "0.56", "3.0", "0.28"]


def test_results_are_saved(tmp_path: Path) -> None:
    """What is read is what was written. Without a file there are no results."""
    assert load(tmp_path) == {}
    save(RESULTS, tmp_path)
    assert load(tmp_path) == RESULTS


def test_plots_are_the_same_for_the_same_results(tmp_path: Path) -> None:
    """All plots are drawn, and a second time without any difference."""
    drawn = plots.draw(RESULTS, tmp_path / "first")
    assert drawn == ["wall.svg", "first.svg", "memory.svg", "throughput.svg", "growth.svg"]
    assert plots.draw(RESULTS, tmp_path / "second") == drawn
    for name in drawn:
        svg = (tmp_path / "first" / name).read_bytes()
        assert svg == (tmp_path / "second" / name).read_bytes()
        assert len(svg) < 100_000


def test_plots_of_no_results(tmp_path: Path) -> None:
    """Without results, nothing is drawn."""
    assert plots.draw({}, tmp_path) == []


def test_the_page_of_results() -> None:
    """It has all tables, where they were measured, and the plots that were drawn."""
    page = pages.results_page(RESULTS, ["memory.svg"])
    assert "## Many small scenes\n\n`many`: 100 scenes x 1 x 10 kB, no latency\n\n| contender" in page
    assert "Measured on A processor, 2 cores, 8 GB, Linux 6.1, CPython 3.11.7; kognic-aio 0.1.0" in page
    assert "![A long stream of scenes](memory.svg)" in page
    assert "growth.svg" not in page


def test_predictions_are_written_between_their_marks(tmp_path: Path) -> None:
    """The rest of the page stays as it is, however often they are written."""
    page = tmp_path / "README.md"
    page.write_text(f"before\n{pages.BEGIN}\nold\n{pages.END}\nafter\n", encoding="utf-8")
    for _ in range(2):
        pages.write_predictions(page, {})
        written = page.read_text(encoding="utf-8")
        assert written == f"before\n{pages.BEGIN}\n\n{pages.NOT_MEASURED}\n\n{pages.END}\nafter\n"


def test_checked_in_pages_are_those_of_the_checked_in_results() -> None:
    """The pages say what the results say."""
    folder = ROOT / "benchmarks" / "results"
    results = load(folder)
    if results:
        drawn = [file.name for file in folder.glob("*.svg")]
        assert (folder / "README.md").read_text(encoding="utf-8") == pages.results_page(results, drawn)
    assert pages.predictions(results) in (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")


def test_the_origin_names_no_host_and_no_path() -> None:
    """What is checked in tells nothing of who has measured it."""
    origin = str(Origin.here())
    assert "cores" in origin
    assert str(ROOT) not in origin
