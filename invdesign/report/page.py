"""The report's page: sections combined in one file that opens without a network."""

from __future__ import annotations

import base64
import gzip
import json
import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from invdesign.core.errors import InputError
from invdesign.report.figures import Figure
from invdesign.report.findings import Findings, gather
from invdesign.report.plotly_part import plotly_part
from invdesign.report.sentences import sentences
from invdesign.report.tables import plain_table
from invdesign.report.words import NOTHING, described

if TYPE_CHECKING:
    from collections.abc import Sequence

    from invdesign.campaign import Campaign
    from invdesign.surrogates.base import Surrogate

TRACES = ("bar", "scatter")
"""Kinds of plotly's traces in the figures of reports and other pages."""
MOST_REASONS = 100
LONGEST_REASON = 600


@dataclass(frozen=True)
class Section:
    """One section of the page.

    Attributes:
        identity: its ``id``, for links of the table of contents.
        title: its heading.
        html: its content.
        figures: shown after the content.
    """

    identity: str
    title: str
    html: str
    figures: Sequence[Figure] = ()

    def written(self) -> str:
        """The section in HTML."""
        drawn = "".join(figure.html() for figure in self.figures)
        drawn = f'<div class="figures">{drawn}</div>' if drawn else ""
        return (
            f'<section aria-labelledby="{self.identity}"><h2 id="{self.identity}">{escape(self.title)}</h2>'
            f"{self.html}{drawn}</section>"
        )


def write_report(
    campaign: Campaign,
    path: str | Path,
    *,
    source: str | None = None,
    command: str | None = None,
    surrogate: Surrogate | None = None,
) -> Path:
    """Writes a campaign's report as one self-contained HTML file, plotly.js included.

    Args:
        campaign: what to report.
        path: the file to write; an older one is replaced.
        source: text of the campaign file, shown unchanged (passwords in database URLs are removed).
        command: the command line that runs the campaign.
        surrogate: the model to validate; the optimizer's if None, or a Gaussian process.

    Returns:
        The path.

    Raises:
        InputError: if the folder does not exist.
    """
    place = Path(path)
    if not place.parent.is_dir():
        raise InputError(f"The folder '{place.parent}' of the report '{place}' does not exist. Create it first.")
    place.write_text(report_html(campaign, source=source, command=command, surrogate=surrogate), encoding="utf-8")
    return place


def report_html(
    campaign: Campaign, *, source: str | None = None, command: str | None = None, surrogate: Surrogate | None = None
) -> str:
    """The report as a string of HTML; arguments as in ``write_report``."""
    found = gather(campaign)
    sections = [
        _targets(found),
        _candidates(found),
        *_next(found),
        *_trust(found),
        _search(found),
        _surrogate(found, campaign, surrogate),
        _landscape(found),
        _evaluated(found),
        _failures(found),
        _reproduction(campaign, source, command),
    ]
    return page_html(found.name, "report", headline=_headline(found), sections=sections)


def page_html(name: str, kind: str, *, headline: str, sections: Sequence[Section]) -> str:
    """A self-contained page, plotly.js included.

    Args:
        name: of the campaign.
        kind: of the page, for its title.
        headline: HTML at the top.
        sections: in order.
    """
    from invdesign.campaign.identity import versions

    figures = [figure.described() for section in sections for figure in section.figures]
    return Template(_resource("page.html")).substitute(
        title=escape(f"{name} – {kind}"),
        name=escape(name),
        style=_resource("page.css"),
        headline=headline,
        contents=" ".join(f'<a href="#{section.identity}">{escape(section.title)}</a>' for section in sections),
        sections="\n".join(section.written() for section in sections),
        version=escape(versions().get("invdesign", "from its source, not installed")),
        date=f"{datetime.now().astimezone():%Y-%m-%d %H:%M %Z}",
        plotly=_packed_plotly(),
        figures=script_json(figures),
        script=_resource("page.js"),
    )


@lru_cache(maxsize=1)
def _packed_plotly() -> str:
    """The part of plotly.js that figures use, compressed, as text."""
    from plotly.offline import get_plotlyjs

    return base64.b64encode(gzip.compress(plotly_part(get_plotlyjs(), TRACES).encode("utf-8"), mtime=0)).decode("ascii")


def script_json(value: object) -> str:
    """JSON for a script element: no character in it can end the element or open a comment."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _headline(found: Findings) -> str:
    status = found.status
    tiles = [(str(status.evaluated), "evaluated"), (str(status.failed), "failed")]
    if status.pending:
        tiles.append((str(status.pending), "pending"))
    if found.targets.bounded:
        tiles.append((str(status.hits), f"{found.meet} (hits)"))
    verified = "not verified" if found.confirmed is None else "hits verified"
    tiles.append((NOTHING if found.confirmed is None else str(found.confirmed), verified))
    listed = "".join(f"<li><strong>{escape(value)}</strong><span>{escape(label)}</span></li>" for value, label in tiles)
    return f'<ul class="tiles">{listed}</ul><p class="lead">{escape(" ".join(sentences(found)))}</p>'


def _targets(found: Findings) -> Section:
    rows = []
    counts = found.targets.met(found.ranked).sum()
    for target, written in zip(found.targets, found.written, strict=True):
        met = "no bound" if target.direction else str(int(counts[str(target)]))
        known = int(found.ranked[target.property].notna().sum())
        rows.append([described(written), target.unit or NOTHING, met, str(known)])
    heads = ["target", "unit of the values", "candidates that meet it", "candidates with a value"]
    return Section("targets", "Targets", plain_table("Targets", heads, rows, numbers=(2, 3)))


def _candidates(found: Findings) -> Section:
    from invdesign.report.candidates import candidates_section

    title = f"Candidates that {found.meet}" if found.targets.bounded and len(found.hits) else "Best candidates"
    return Section("candidates", title, candidates_section(found))


def _next(found: Findings) -> list[Section]:
    """The next experiments, if any are pending."""
    from invdesign.report.candidates import next_section

    return [Section("experiments", "Next experiments", next_section(found))] if len(found.pending) else []


def _evaluated(found: Findings) -> Section:
    from invdesign.report.candidates import evaluated_section

    return Section("all-candidates", "Every candidate", evaluated_section(found))


def _trust(found: Findings) -> list[Section]:
    """Calibrations and verification, if there are any."""
    from invdesign.report.verification import calibration_html, verification_html

    calibrated = [Section("calibration", "Calibration", calibration_html(found))] if found.calibrations else []
    if not found.stages:
        return calibrated
    return [*calibrated, Section("verification", "Verification of the search", verification_html(found))]


def _search(found: Findings) -> Section:
    from invdesign.report.convergence import convergence

    figure = convergence(found)
    text = "" if figure else "<p>Nothing was evaluated yet.</p>"
    return Section("search", "Convergence", text, [figure] if figure else [])


def _surrogate(found: Findings, campaign: Campaign, surrogate: Surrogate | None) -> Section:
    from invdesign.report.parity import parity

    judged = parity(found, surrogate or _surrogate_of(campaign), seed=campaign.seed)
    text = f"<p>{escape(judged.text)}</p>{judged.table}"
    return Section("surrogate", "Validation of the model", text, judged.figures)


def _surrogate_of(campaign: Campaign) -> Surrogate:
    from invdesign.surrogates.gaussian_process.surrogate import GaussianProcess

    own: Surrogate | None = getattr(campaign.optimizer, "surrogate", None)
    return own if own is not None else GaussianProcess()


def _landscape(found: Findings) -> Section:
    from invdesign.report.landscape import landscape

    figures = landscape(found)
    text = "" if figures else "<p>No candidate has a value yet.</p>"
    return Section("landscape", "Candidates and properties", text, figures)


def _failures(found: Findings) -> Section:
    reasons = found.reasons()
    if reasons.empty:
        return Section("failures", "Failures", "<p>No evaluation failed.</p>")
    shown = reasons.head(MOST_REASONS)
    rows = [[_cut(row["reason"]), row["where"], str(row["count"])] for row in shown.to_dict("records")]
    caption = "Reasons for missing values"
    if len(shown) < len(reasons):
        caption += f" (the {len(shown)} most frequent of {len(reasons)} reasons)"
    return Section("failures", "Failures", plain_table(caption, ["reason", "where", "candidates"], rows, numbers=(2,)))


def _reproduction(campaign: Campaign, source: str | None, command: str | None) -> Section:
    from invdesign.campaign.identity import versions

    then, now = campaign.store.facts().get("versions", {}), versions()
    rows = [[name, then.get(name, NOTHING), now.get(name, NOTHING)] for name in dict.fromkeys([*then, *now])]
    settings = (
        f"<p>Seed: {campaign.seed}. Optimizer: <code>{escape(repr(campaign.optimizer))}</code>. Initial design: "
        f"{campaign.initial} candidates. The same file, seed and versions give the same candidates.</p>"
    )
    parts = [settings, *(f"<p>{escape(remark)}</p>" for remark in campaign.space.remarks)]
    changes = campaign.changes()
    if len(changes):
        heads = ["time", "from candidate", "setting", "before", "after"]
        cells = [[str(value) for value in row] for row in changes.itertuples(index=False)]
        parts.append(
            f"<h3>Changes</h3>{plain_table('Settings that were changed while the campaign ran', heads, cells)}"
        )
    if command is not None:
        parts.append(f"<h3>Command</h3><pre>{escape(without_passwords(command))}</pre>")
    if source is not None:
        parts.append(f"<h3>Campaign file</h3><pre>{escape(without_passwords(source))}</pre>")
    heads = ["package", "when the campaign began", "when this report was written"]
    parts.append(f"<h3>Versions</h3>{plain_table('Installed packages that may affect results', heads, rows)}")
    return Section("reproduce", "How to reproduce", "".join(parts))


def without_passwords(text: str) -> str:
    """Removes the password of a URL such as ``postgresql://user:password@host``, because reports are shared."""
    return re.sub(r"(\w://[^\s:/@]*):[^\s/]*@", r"\1:***@", text)


def _cut(reason: str) -> str:
    return reason if len(reason) <= LONGEST_REASON else f"{reason[:LONGEST_REASON]} …"


def _resource(name: str) -> str:
    return files("invdesign.report").joinpath(name).read_text(encoding="utf-8")
