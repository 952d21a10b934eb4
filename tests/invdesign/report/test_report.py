"""The report: its numbers are the campaign's, it needs no network, nothing of the user's is read as code, it works."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pypdfium2
import pytest
from plotly import graph_objects
from rich.console import Console

import invdesign as ind
from invdesign.report import write_report
from invdesign.report.console import hits_table, status_table
from invdesign.report.convergence import convergence
from invdesign.report.figures import plain
from invdesign.report.findings import gather
from invdesign.report.landscape import by_evaluation, landscape
from invdesign.report.words import number, number_format

NASTY = "<script>alert(1)</script> & \"quoted\" 'reason' <!-- </style> %{x} $name"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--virtual-time-budget=20000"),
]
SMILES = [
    *("C", "CC", "CCC", "CCCC", "CCO", "CCCO", "CO", "COC", "CCOC", "CCOCC", "CC(C)O", "CC(C)C"),
    *("c1ccccc1", "Cc1ccccc1", "COc1ccccc1", "Oc1ccccc1", "CC(=O)C", "CC=O", "C1CCOC1", "N#CC"),
]


@dataclass
class Page(HTMLParser):
    """What a test asks of a page.

    Attributes:
        tags: every opening tag with its attributes, in order.
        texts: text of elements by what they are, such as ``h1``; scripts and styles by themselves.
        tables: rows of cells by the table's id, or by its caption where it has none.
    """

    source: str
    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    texts: dict[str, list[str]] = field(default_factory=dict)
    tables: dict[str, list[list[str]]] = field(default_factory=dict)
    _open: list[str] = field(default_factory=list)
    _table: str = ""

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.append((tag, given))
        if tag not in {"meta", "link", "br"}:
            self._open.append(tag)
            self.texts.setdefault(tag, []).append("")
        if tag == "table":
            self._table = given.get("id", "")
            self.tables.setdefault(self._table, [])
        elif tag == "tr":
            self.tables[self._table].append([])
        elif tag in {"td", "th"}:
            self.tables[self._table][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        for tag in set(self._open):
            self.texts[tag][-1] += data
        if "caption" in self._open and not self._table:
            self._table = data
            self.tables[data] = self.tables.pop("")
        if {"td", "th"} & set(self._open):
            self.tables[self._table][-1][-1] += data

    @property
    def tiles(self) -> dict[str, str]:
        """The numbers of the headline by what they count."""
        items = [text for text in self.texts["span"] if text]
        return dict(zip(items, self.texts["strong"], strict=True))

    @property
    def figures(self) -> dict[str, dict[str, Any]]:
        """Plotly's figures by their id."""
        scripts = [attributes for tag, attributes in self.tags if tag == "script"]
        place = next(place for place, attributes in enumerate(scripts) if attributes.get("id") == "figures")
        return {figure["id"]: figure for figure in json.loads(self.texts["script"][place])}


def line(x: float, y: float) -> dict[str, float]:
    if x > 0.9:
        raise ValueError(NASTY)
    return {"voltage": 3.0 + x, "specific_energy": 200.0 * y * (1.0 + x)}


def finer(x: float, y: float) -> dict[str, float]:
    return {"voltage": 3.01 + x, "specific_energy": 199.0 * y * (1.0 + x)}


UNITS = {"voltage": "V", "specific_energy": "Wh/kg"}
SPACE = ind.SearchSpace({"x": ind.Continuous(0.0, 1.0, unit="mm"), "y": ind.Continuous(0.01, 1.0, log=True)})
WANTED = ind.Targets(ind.Between("voltage", 3400, 3800, unit="mV"), ind.AtLeast("specific_energy", 20.0))


def campaign_of(targets: ind.Targets, name: str, evaluations: int = 40) -> ind.Campaign:
    """A finished campaign by the Sobol sequence, which costs nothing."""
    campaign = ind.Campaign(SPACE, targets, optimizer=ind.RandomOptimizer(), seed=5, name=name, initial=12)
    campaign.run(ind.PythonObjective(line, UNITS), evaluations=evaluations)
    return campaign


def page_of(campaign: ind.Campaign, folder: Path) -> Page:
    return Page(write_report(campaign, folder / "report.html").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def verified() -> ind.Campaign:
    campaign = campaign_of(WANTED, "two-properties")
    campaign.verify(ind.PythonObjective(finer, UNITS), top=3, stage="fine <1>")
    return campaign


@pytest.fixture(scope="module")
def report(verified: ind.Campaign, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    source = f"campaign: two-properties  # {NASTY}\nstore: postgresql://me:secret@host/db\n"
    return write_report(verified, folder / "report.html", source=source, command="invdesign run 'a & b.yaml'")


@pytest.fixture(scope="module")
def page(report: Path) -> Page:
    return Page(report.read_text(encoding="utf-8"))


def test_the_headline_counts_what_the_campaign_counts(verified: ind.Campaign, page: Page) -> None:
    status = verified.status()
    assert status.failed > 0
    assert status.hits > 3
    assert page.texts["h1"] == ["two-properties"]
    assert page.tiles == {
        "evaluated": str(status.evaluated),
        "failed": str(status.failed),
        "meet all targets (hits)": str(status.hits),
        "hits verified": str(int(verified.verified()["all_met"].sum())),
    }
    assert (
        f"{status.hits} candidates meet all targets; the first was candidate {verified.hits().index[0]}" in page.source
    )


def test_every_target_is_as_the_user_wrote_it_with_its_count(verified: ind.Campaign, page: Page) -> None:
    frame = verified.frame()
    rows = page.tables["Targets"][1:]
    assert rows[0][:3] == ["voltage between 3400 and 3800 mV", "V", str(int(frame["voltage"].between(3.4, 3.8).sum()))]
    assert rows[1][2] == str(int((frame["specific_energy"] >= 20.0).sum()))


def test_the_hits_stand_in_the_order_of_best_with_what_verification_says(verified: ind.Campaign, page: Page) -> None:
    groups, heads, *rows = page.tables["hits"]
    hits = verified.hits()
    best = [str(index) for index in verified.best(1000).index if index in hits.index]
    assert [row[0] for row in rows] == best
    assert groups[1:4] == ["Parameters", "voltage (V)", "specific energy (Wh/kg)"]
    assert heads[1:6] == ["x (mm)", "y", "search", "fine <1>", "fine <1> − search"]
    voltage = float(verified.frame()["voltage"].to_dict()[int(best[0])])
    assert float(rows[0][3]) == pytest.approx(voltage, abs=5e-4)
    assert float(rows[0][4]) == pytest.approx(voltage + 0.01, abs=5e-4)
    assert rows[0][5].startswith("+")
    assert float(rows[0][5]) == pytest.approx(0.01)
    assert rows[0][9:11] == ["yes", "yes"]
    assert rows[3][9:11] == ["yes", "–"]
    exact = [attributes["data-value"] for tag, attributes in page.tags if tag == "td" and "data-value" in attributes]
    assert repr(voltage) in exact


def test_nothing_is_loaded_from_anywhere(page: Page) -> None:
    for tag, attributes in page.tags:
        for name in ("src", "href", "srcset", "data", "action", "poster"):
            assert re.match(r"#|data:,|$", attributes.get(name, "")), f"<{tag} {name}={attributes.get(name)}>"
    assert not re.search(r"@import|url\s*\(", "".join(page.texts["style"]))
    policies = [attributes["content"] for tag, attributes in page.tags if "http-equiv" in attributes]
    assert len(policies) == 1
    assert policies[0].startswith("default-src 'none'")
    assert "http" not in policies[0]


def test_what_users_wrote_is_text(page: Page) -> None:
    assert sum(tag == "script" for tag, _ in page.tags) == 4, "the page's own: errors, plotly, figures, behavior"
    assert f"ValueError: {NASTY}" in [cell for row in page.tables["Reasons for missing values"] for cell in row]
    assert any(NASTY in text for text in page.texts["pre"])
    assert "invdesign run 'a & b.yaml'" in page.texts["pre"]
    assert "alert(1)</script>" not in page.source
    assert "secret" not in page.source
    assert "postgresql://me:***@host/db" in page.source


def test_headings_captions_and_labels_are_there_for_every_reader(page: Page) -> None:
    assert len(page.texts["caption"]) == len(page.texts["table"])
    assert len(page.texts["figcaption"]) == len(page.texts["figure"]) == len(page.figures)
    assert all(text.strip() for text in [*page.texts["caption"], *page.texts["figcaption"]])
    assert all("scope" in attributes for tag, attributes in page.tags if tag == "th")
    anchors = {attributes["href"][1:] for tag, attributes in page.tags if tag == "a"}
    assert anchors <= {attributes.get("id", "") for _, attributes in page.tags}


def test_figures_are_what_plotly_knows_and_show_the_campaign(verified: ind.Campaign, page: Page) -> None:
    figures = {
        name: graph_objects.Figure(data=figure["data"], layout=figure["layout"])
        for name, figure in page.figures.items()
    }
    assert set(figures) == {"convergence", "parity-0", "parity-1", "parallel-coordinates"}
    hits, shortfall = figures["convergence"].data
    assert hits.y[-1] == verified.status().hits
    assert len(hits.x) == len(verified.frame())
    assert shortfall.y[-1] == 0.0
    known = verified.frame()["voltage"].dropna()
    assert sorted(figures["parity-0"].data[1].x) == pytest.approx(sorted(known))
    missed, met = figures["parallel-coordinates"].data
    assert met.y.count(None) == verified.status().hits
    assert missed.y.count(None) == verified.status().evaluated - verified.status().hits


def test_parity_is_held_out_and_scored(verified: ind.Campaign, page: Page) -> None:
    assert "was fitted without it" in page.source
    table = next(rows for caption, rows in page.tables.items() if caption.startswith("Held-out scores"))
    assert [row[0] for row in table[1:]] == ["voltage", "specific energy"]
    assert table[1][1] == str(verified.status().evaluated)
    assert float(table[1][4]) > 0.9


def test_how_to_reproduce_names_seed_and_versions(verified: ind.Campaign, page: Page) -> None:
    assert "Seed: 5" in page.source
    rows = page.tables["Installed packages that may affect results"]
    assert {row[0]: row[1] for row in rows[1:]}.items() >= verified.store.facts()["versions"].items()


def test_without_a_hit_the_nearest_is_named_with_what_it_lacks(tmp_path: Path) -> None:
    campaign = campaign_of(ind.Targets(ind.AtLeast("voltage", 5.0, unit="V")), "too-much", evaluations=15)
    page = page_of(campaign, tmp_path)
    nearest = campaign.best(1)
    short = 5.0 - nearest["voltage"].iloc[0]
    reported = f"the nearest is candidate {nearest.index[0]}, short by {short:.3g} V in voltage."
    assert f"No candidate meets the target; {reported}" in page.source
    assert page.tiles["meet all targets (hits)"] == "0"
    assert page.tables["nearest"][1][5] == "voltage at least 5 V: short by (V)"
    assert page.tables["nearest"][2][0] == str(nearest.index[0])
    assert "hits" not in page.tables


def test_directions_are_shown_by_rank_front_and_hypervolume(tmp_path: Path) -> None:
    wanted = ind.Targets(ind.Maximize("voltage"), ind.Minimize("specific_energy"))
    campaign = campaign_of(wanted, "front", evaluations=25)
    page = page_of(campaign, tmp_path)
    hits = campaign.hits()
    front = hits[hits["pareto_rank"] == 0]
    assert f"{len(front)} candidates are on the Pareto front." in page.source
    assert "meet all targets (hits)" not in page.tiles
    assert [row[1] for row in page.tables["hits"][2:]].count("0") == len(front)
    view = graph_objects.Figure(data=page.figures["pareto-0"]["data"])
    assert sorted(view.data[-1].x) == pytest.approx(sorted(front["voltage"]))
    (volume,) = page.figures["convergence"]["data"]
    assert 0.5 < volume["y"][-1] <= 1.0
    assert volume["y"] == sorted(volume["y"])


def test_one_direction_names_its_best(tmp_path: Path) -> None:
    campaign = campaign_of(ind.Targets(ind.Maximize("voltage"), ind.AtMost("specific_energy", 50.0)), "best")
    page = page_of(campaign, tmp_path)
    best = campaign.best(1)
    assert f"The largest voltage of those that meet all other targets is {best['voltage'].iloc[0]:.4g} V" in page.source
    assert page.figures["convergence"]["data"][-1]["y"][-1] == pytest.approx(best["voltage"].iloc[0])
    assert "pareto-0" in page.figures


def test_molecules_are_shown_over_the_evaluations(tmp_path: Path) -> None:
    def lengthy(molecule: str) -> dict[str, float]:
        return {"potential": 1.0 + 0.1 * len(molecule)}

    pool = ind.MoleculePool.from_smiles(SMILES)
    campaign = ind.Campaign(
        ind.SearchSpace(molecule=pool), ind.Targets(ind.Between("potential", 1.25, 1.55, unit="V")), name="pool", seed=1
    )
    campaign.run(ind.PythonObjective(lengthy, {"potential": "V"}), evaluations=16, initial=8)
    page = page_of(campaign, tmp_path)
    assert set(page.figures) == {"convergence", "parity-0", "by-evaluation-0"}
    figure = graph_objects.Figure(page.figures["by-evaluation-0"]["data"], page.figures["by-evaluation-0"]["layout"])
    assert sum(len(trace.x) for trace in figure.data) == 16
    assert (figure.layout.shapes[0].y0, figure.layout.shapes[0].y1) == (1.25, 1.55)
    hits = set(campaign.hits()["molecule"])
    best = [molecule for molecule in campaign.best(16)["molecule"] if molecule in hits]
    assert [row[1] for row in page.tables["hits"][2:]] == best


def test_names_that_are_code_stay_text(tmp_path: Path) -> None:
    name = "<img src=x onerror=alert(1)>"
    campaign = ind.Campaign(
        ind.SearchSpace(x=ind.Continuous(0.0, 1.0)),
        ind.Targets(ind.AtLeast(name, 0.5)),
        optimizer=ind.RandomOptimizer(),
    )
    campaign.run(ind.PythonObjective(lambda x: {name: x}, {name: ""}), evaluations=12)
    page = page_of(campaign, tmp_path)
    assert all(tag != "img" for tag, _ in page.tags)
    title = page.figures["parity-0"]["layout"]["title"]["text"]
    assert title == "&lt;img src=x onerror=alert(1)&gt;"


def test_a_campaign_that_has_nothing_yet_has_a_report(tmp_path: Path) -> None:
    campaign = ind.Campaign(SPACE, WANTED, name="fresh")
    page = page_of(campaign, tmp_path)
    assert page.tiles["evaluated"] == "0"
    assert "No candidate has a value yet" in page.source
    assert not page.figures
    campaign.ask(2)
    assert page_of(campaign, tmp_path).tiles["pending"] == "2"


def test_too_few_values_are_said_to_be_too_few(tmp_path: Path) -> None:
    page = page_of(campaign_of(WANTED, "few", evaluations=6), tmp_path)
    assert "Too few values to validate the surrogate" in page.source
    assert not any(name.startswith("parity") for name in page.figures)


def test_a_folder_that_is_not_there_is_named(verified: ind.Campaign, tmp_path: Path) -> None:
    with pytest.raises(ind.InputError, match="does not exist"):
        write_report(verified, tmp_path / "none" / "report.html")


def test_importing_the_report_loads_neither_plotly_nor_torch() -> None:
    code = "import sys, invdesign.report; print([m for m in ('plotly', 'torch', 'rdkit', 'rich') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_tables_for_the_command_line(verified: ind.Campaign) -> None:
    console = Console(width=100, record=True, file=open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123
    console.print(hits_table(verified, 4))
    console.print(status_table(verified))
    console.file.close()
    text = console.export_text()
    assert f"the best 4 of {verified.status().hits}" in text
    assert "voltage (V), fine <1>" in text
    for index in verified.best(1).index:
        assert re.search(rf"\b{index}\b", text)
    assert f"met by {verified.status().hits}" in text


@pytest.mark.parametrize(
    ("values", "written"),
    [
        ([1.54152, 0.2], ["1.542", "0.200"]),
        ([205.123, 99.0], ["205.1", "99.0"]),
        ([1.0, 12.0, float("nan")], ["1", "12", "–"]),
        ([1e-9, 2.5], ["1e-09", "2.5"]),
        ([123456.7, 3.0], ["123457", "3"]),
        ([0.0], ["0"]),
    ],
)
def test_numbers_of_a_column_are_written_alike(values: list[float], written: list[str]) -> None:
    assert list(map(number_format(values), values)) == written


def test_a_number_alone_keeps_its_whole_part() -> None:
    assert [number(value, 3) for value in (0.123456, 12345.6, 2e-7, 3e9)] == ["0.123", "12346", "2e-07", "3e+09"]


def browser() -> str:
    for name in BROWSERS:
        found = shutil.which(name)
        if found:
            return found
    if "CI" not in os.environ:
        pytest.skip(f"none of {', '.join(BROWSERS)} is on the PATH, so the report cannot be tried in a browser")
    pytest.fail(f"continuous integration needs one of {', '.join(BROWSERS)}")


def opened(address: str, profile: Path) -> str:
    """The page's DOM after its scripts have run, in headless Chromium."""
    command = [browser(), *FLAGS, f"--user-data-dir={profile}", "--dump-dom", address]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


def column(dom: str, key: str) -> list[float]:
    """Exact numbers of a column of the hits, in the order on screen."""
    body = dom[dom.index('id="hits"') : dom.index("</table>", dom.index('id="hits"'))]
    place = re.findall(r'data-key="([^"]*)"', body).index(key)
    rows = re.findall(r"<tr>(.*?)</tr>", body.partition("<tbody>")[2])
    return [float(re.findall(r"<td[^>]*?(?:data-value=\"([^\"]*)\")?>", row)[place]) for row in rows]


def test_a_browser_draws_the_figures_and_sorts_without_an_error(report: Path, page: Page, tmp_path: Path) -> None:
    dom = opened(f"{report.as_uri()}#sort=-specific_energy", tmp_path / "profile")
    assert 'data-report="ready"' in dom
    assert 'data-errors=""' in dom
    for name in page.figures:
        part = dom[dom.index(f'id="{name}"') :]
        assert '<svg class="main-svg"' in part[: part.index("</figure>")]
    assert 'data-title="Download plot as a PNG"' in dom
    assert 'data-title="Share' not in dom, "no figure is offered to anybody's cloud"
    assert re.search(r'aria-sort="descending" data-key="specific_energy"', dom)
    values = column(dom, "specific_energy")
    assert len(values) == len(page.tables["hits"]) - 2
    assert values == sorted(values, reverse=True)


def test_a_browser_draws_components_of_mixtures_and_a_map_of_three(tmp_path: Path) -> None:
    solvents = {"EC": "O=C1OCCO1", "DMC": "COC(=O)OC", "EMC": "CCOC(=O)OC"}
    role = {"components": solvents, "pick": [1, 3], "amount": [0.1, 1.0], "step": 0.1}
    mixture = ind.Mixture(roles={"solvent": role})
    campaign = ind.Campaign(
        ind.SearchSpace(electrolyte=mixture), ind.Targets(ind.Maximize("k")), optimizer=ind.RandomOptimizer(), seed=3
    )
    asked = campaign.ask(30)
    campaign.tell(asked.assign(k=mixture.derived("share('EC')", asked["electrolyte"].to_numpy())))
    page = page_of(campaign, tmp_path)
    assert sorted(given["aria-label"] for tag, given in page.tags if tag == "svg") == sorted(solvents.values())
    dom = opened((tmp_path / "report.html").as_uri(), tmp_path / "profile")
    assert 'data-errors=""' in dom
    part = dom[dom.index('id="ternary-0"') :]
    assert part[: part.index("</figure>")].count('class="point"') == 30 + 1, "the best one is ringed"


def test_a_browser_sorts_at_a_click_and_makes_a_csv_file(report: Path, verified: ind.Campaign, tmp_path: Path) -> None:
    clicks = """<script>
    document.querySelector('#hits th[data-key="voltage"] button').click();
    document.querySelector('#hits th[data-key="voltage"] button').click();
    document.querySelector('button.download').click();
    document.documentElement.dataset.csv = csv(document.getElementById("hits"));
    </script></body>"""
    changed = tmp_path / "clicked.html"
    changed.write_text(report.read_text(encoding="utf-8").replace("</body>", clicks), encoding="utf-8")
    dom = opened(changed.as_uri(), tmp_path / "profile")
    assert 'data-errors=""' in dom
    values = column(dom, "voltage")
    assert values == sorted(values, reverse=True)
    lines = re.findall(r'data-csv="([^"]*)"', dom)[0].replace("\r", "").strip().split("\n")
    assert lines[0].split(",")[:4] == ["candidate", "x", "y", "voltage"]
    assert len(lines) == verified.status().hits + 1
    assert float(lines[1].split(",")[3]) == verified.hits()["voltage"].max()


def test_a_long_campaign_is_drawn_in_part_and_all_hits_are(tmp_path: Path) -> None:
    space = ind.SearchSpace(molecule=ind.Categorical([f"m{number}" for number in range(5500)]))
    campaign = ind.Campaign(space, ind.Targets(ind.AtLeast("f", 0.5)), optimizer=ind.RandomOptimizer(), initial=0)
    rows = pd.DataFrame({"molecule": [f"m{number}" for number in range(5500)]})
    values = [{"f": 0.25 + 0.5 * (number >= 3000)} for number in range(5500)]
    campaign.store.record([None] * 5500, rows, values, [None] * 5500)
    found = gather(campaign)
    missed, met = by_evaluation(found)[0].data
    assert missed["name"] == "misses a target (2000 of 3000 drawn)"
    assert (len(missed["x"]), missed["x"][0], missed["x"][-1]) == (2000, 1, 3000)
    assert met["name"] == "meets all targets"
    assert met["x"].tolist() == list(range(3001, 5501))
    figure = convergence(found)
    assert figure is not None
    assert len(figure.data[0]["x"]) == 2000
    assert figure.data[0]["y"][-1] == 2500
    assert figure.data[1]["x"].tolist() == [1, 3001, 5500]


FRAME = """<!DOCTYPE html><html><body>
<iframe src="{address}" style="width: {width}px; height: 900px; border: 0"></iframe>
<script>addEventListener("message", (event) => {{ document.documentElement.dataset.found = event.data; }});</script>
</body></html>"""
MEASURED = """<script>drawn.then(() => {
  const plots = Array.from(document.querySelectorAll(".plot"));
  parent.postMessage([
    innerWidth,
    document.documentElement.scrollWidth,
    Math.max(...plots.map((plot) => plot.getBoundingClientRect().right)),
    Math.min(...plots.map((plot) => plot.querySelector("svg.main-svg").getBoundingClientRect().width)),
    document.documentElement.dataset.errors.length,
  ].join(" "), "*");
});</script></body>"""


@pytest.mark.parametrize("width", [400, 800, 1280])
def test_nothing_overflows_on_a_phone_a_tablet_or_a_screen(report: Path, tmp_path: Path, width: int) -> None:
    """Headless Chromium has no window of 400 pixels, but a frame may be as narrow as a phone."""
    inner = tmp_path / "report.html"
    inner.write_text(report.read_text(encoding="utf-8").replace("</body>", MEASURED), encoding="utf-8")
    outer = tmp_path / "frame.html"
    outer.write_text(FRAME.format(address=inner.as_uri(), width=width), encoding="utf-8")
    dom = opened(outer.as_uri(), tmp_path / "profile")
    inside, needed, right, drawn, errors = map(float, re.findall(r'data-found="([^"]*)"', dom)[0].split())
    assert inside == width
    assert needed <= width
    assert right <= width
    assert drawn > 0.25 * width
    assert errors == 0


def printed(address: str, folder: Path) -> list[tuple[str, tuple[float, float, float, float], tuple[float, float]]]:
    """The pages of the printed report: the text, the box around it, and the size of the paper, in points."""
    place = folder / "report.pdf"
    command = [browser(), *FLAGS, f"--user-data-dir={folder / 'profile'}", f"--print-to-pdf={place}", address]
    subprocess.run(command, capture_output=True, timeout=120, check=True)
    found = []
    with pypdfium2.PdfDocument(place) as document:
        for page in document:
            text = page.get_textpage()
            boxes = np.array([text.get_charbox(place) for place in range(text.count_chars())]).reshape(-1, 4)
            (left, low), (right, high) = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
            found.append((text.get_text_bounded(), (left, low, right, high), page.get_size()))
    return found


@pytest.mark.parametrize("parameters", [2, 30])
def test_a_printed_report_repeats_its_headers_and_nothing_is_cut(tmp_path: Path, parameters: int) -> None:
    names = [f"p{number}" for number in range(parameters)]
    rows = ind.SearchSpace({name: ind.Continuous(0.0, 1.0, unit="um") for name in names})
    campaign = ind.Campaign(rows, ind.Targets(ind.AtLeast("f", 0.2, unit="V")), initial=100, name="printed")
    sample = rows.sample(100, np.random.default_rng(0))
    campaign.tell(sample.assign(f=sample["p0"]))
    page = Page(write_report(campaign, tmp_path / "report.html").read_text(encoding="utf-8"))
    pages = printed((tmp_path / "report.html").as_uri(), tmp_path)
    for text, (left, low, right, high), (width, height) in pages:
        assert min(left, low) > 0.0, "within the paper"
        assert right < width
        assert high < height
        if "initial" in text or "laboratory" in text:  # rows of candidates
            assert "candidate" in text
            assert "f (V)" in re.sub(r"\s+", " ", text)
    together = re.sub(r"\s", "", "".join(text for text, *_ in pages))
    for row in page.tables["evaluated"][2:]:
        assert re.sub(r"\s", "", "".join(row)) in together


def test_a_report_is_small_and_every_candidate_stands_in_it(report: Path, verified: ind.Campaign, page: Page) -> None:
    assert report.stat().st_size < 800_000
    _, heads, *rows = page.tables["evaluated"]
    frame = verified.frame()
    assert [int(row[0]) for row in rows] == list(frame.index)
    assert heads[:4] == ["candidate", "x (mm)", "y", "voltage (V)"]
    assert [row[-1] for row in rows] == frame["state"].tolist()
    assert "next" not in page.tables


def test_the_next_experiments_are_a_table(tmp_path: Path) -> None:
    campaign = campaign_of(WANTED, "asked", evaluations=14)
    asked = campaign.ask(3)
    _, heads, *rows = page_of(campaign, tmp_path).tables["next"]
    assert heads == ["candidate", "x (mm)", "y"]
    assert [int(row[0]) for row in rows] == list(asked.index)
    assert float(rows[0][1]) == pytest.approx(asked["x"].iloc[0], abs=1e-3)


def test_formulas_and_categories_have_parallel_axes() -> None:
    sites = {"M": {"elements": ["Ni", "Mn", "Co"], "amount": 1}, "O": {"elements": ["O"], "amount": 2}}
    space = ind.SearchSpace(oxide=ind.Composition(sites), salt=ind.Categorical(["LiPF6", "LiFSI"]))
    campaign = ind.Campaign(space, ind.Targets(ind.AtLeast("f", 0.5)), optimizer=ind.RandomOptimizer(), seed=1)
    objective = ind.PythonObjective(lambda oxide, salt: {"f": float(salt == "LiFSI")}, {"f": ""}, isolated=False)
    campaign.run(objective, evaluations=30)
    (figure,) = [figure for figure in landscape(gather(campaign)) if figure.identity == "parallel-coordinates"]
    words = {label["text"] for label in figure.layout["annotations"]}
    assert {"LiPF6", "LiFSI", "Ni<br>in<br>oxide", "Mn<br>in<br>oxide", "Co<br>in<br>oxide", "salt"} <= words
    assert "O<br>in<br>oxide" not in words, "its amount never varies"
    heights = [y for trace in figure.data for y in plain(trace["y"]) if y is not None]
    assert 0.0 <= min(heights) <= max(heights) <= 1.0
