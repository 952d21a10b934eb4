from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import invdesign as ind
from invdesign.core.errors import InputError
from invdesign.objectives.command.objective import CommandObjective

ROWS = pd.DataFrame({"x": [2.0, 3.0], "name": ["LiCoO2", "a,b"]}, index=[7, 8])
DOUBLE = """
import json, sys
from pathlib import Path
row = json.loads(Path(sys.argv[1]).read_text())
Path(sys.argv[2]).write_text(json.dumps({"twice": 2 * row["x"], "more": 1}))
"""


def objective(tmp_path: Path, code: str, **settings) -> CommandObjective:
    program = tmp_path / "program.py"
    program.write_text(code)
    given = {"units": {"twice": "V"}, "format": "json", "folder": str(tmp_path / "runs"), "time_limit": 20.0}
    command = [sys.executable, str(program), "{candidate}", "{results}"]
    return CommandObjective(command, **{**given, **settings})


def runs(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "runs").iterdir())


def test_each_candidate_has_a_folder_with_all_that_was_said(tmp_path):
    result = objective(tmp_path, DOUBLE + "print('said')").evaluate(ROWS)
    assert result.index.tolist() == [7, 8]
    assert result["twice"].tolist() == [4.0, 6.0]
    assert result["reason"].tolist() == [None, None]
    folders = runs(tmp_path)
    assert [folder.name[:2] for folder in folders] == ["7-", "8-"]
    assert json.loads((folders[1] / "candidate.json").read_text()) == {"x": 3.0, "name": "a,b"}
    assert (folders[0] / "stdout.txt").read_text() == "said\n"
    assert json.loads((folders[0] / "ended.json").read_text())["exit_code"] == 0


def test_csv_goes_both_ways(tmp_path):
    code = (
        "import csv, sys\n"
        "row = next(csv.DictReader(open(sys.argv[1])))\n"
        "open(sys.argv[2], 'w').write('twice, name\\n%s,\"%s\"\\n' % (2 * float(row['x']), row['name']))\n"
    )
    assert objective(tmp_path, code, format="csv").evaluate(ROWS)["twice"].tolist() == [4.0, 6.0]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (
            "import sys; sys.stderr.write('no license\\n'); sys.exit(3)",
            "the program ended with exit code 3: no license",
        ),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "the program was killed by SIGKILL"),
        ("pass", "the program did not write results.json"),
        ("open('results.json', 'w').write('{\"twice\": ')", "results.json is not valid JSON"),
        ("open('results.json', 'w').write('[1]')", "results.json must hold an object"),
        ("open('results.json', 'w').write('{\"one\": 1}')", "results.json: 'twice' is missing"),
        (
            "open('results.json', 'w').write('{\"twice\": Infinity}')",
            "results.json: 'twice' is 'inf', not a finite number",
        ),
        (
            "open('results.json', 'w').write('{\"twice\": \"many\"}')",
            "results.json: 'twice' is 'many', not a number",
        ),
        ("open('results.json', 'w').write('{\"twice\": null}')", "results.json: 'twice' is 'None', not a number"),
        (
            "open('results.json', 'w').write('{\"twice\": true}')",
            "results.json: 'twice' is 'True', not a finite number",
        ),
        ("open('results.json', 'wb').write(bytes([255, 254, 200]))", "results.json cannot be read"),
        ("import os; os.mkdir('results.json')", "results.json cannot be read"),
    ],
)
def test_what_goes_wrong_is_the_reason(tmp_path, code, reason):
    result = objective(tmp_path, code).evaluate(ROWS.head(1))
    assert result["twice"].isna().all()
    assert result["reason"][7].startswith(reason)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "results.csv holds 0 lines"),
        ("twice\n1\n2\n", "results.csv holds 3 lines"),
        ("twice,more\n1\n", "results.csv has 2 names in its header, but 1 values"),
        ("twice\ninf\n", "results.csv: 'twice' is 'inf', not a finite number"),
    ],
)
def test_malformed_csv_is_a_reason(tmp_path, text, reason):
    code = f"open('results.csv', 'w').write({text!r})"
    assert objective(tmp_path, code, format="csv").evaluate(ROWS.head(1))["reason"][7].startswith(reason)


def test_what_can_be_read_is_kept(tmp_path):
    code = "open('results.json', 'w').write('{\"twice\": 1, \"other\": NaN}')"
    result = objective(tmp_path, code, units={"twice": "V", "other": ""}).evaluate(ROWS.head(1))
    assert result["twice"].tolist() == [1.0]
    assert result["reason"][7] == "results.json: 'other' is 'nan', not a finite number"


def test_the_time_limit_ends_all_that_was_started(tmp_path):
    code = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "open('child', 'w').write(str(child.pid)); time.sleep(60)\n"
    )
    result = objective(tmp_path, code, time_limit=1.0).evaluate(ROWS.head(1))
    assert result["reason"][7] == "the program exceeded its time limit of 1 s"
    assert not _running(int((runs(tmp_path)[0] / "child").read_text()))


def test_a_memory_limit_holds_for_the_program_and_is_named(tmp_path):
    # It starts before its limit is set, and waits.
    code = "import time; time.sleep(0.3); bytearray(700_000_000); open('results.json', 'w').write('{\"twice\": 1}')"
    assert objective(tmp_path, code).evaluate(ROWS.head(1))["twice"].tolist() == [1.0]
    result = objective(tmp_path, code, memory_limit="500 MB").evaluate(ROWS.head(1))
    assert result["reason"][7] == ("the program ended with exit code 1: MemoryError (its memory was limited to 0.5 GB)")


def _running(pid: int) -> bool:
    for _ in range(50):
        status = Path(f"/proc/{pid}/stat")
        if not status.exists() or status.read_text().split(")")[-1].split()[0] == "Z":
            return False
        time.sleep(0.1)
    return True


def test_a_program_that_cannot_start_is_a_reason(tmp_path):
    absent = CommandObjective(["/no/such/program"], {"p": ""}, folder=str(tmp_path / "runs"))
    assert absent.evaluate(ROWS.head(1))["reason"][7].startswith("the program cannot start")
    assert "The program '/no/such/program' does not exist" in absent.check(())[0]
    assert json.loads((runs(tmp_path)[0] / "ended.json").read_text())["exit_code"] is None


def test_a_folder_that_cannot_be_made_is_a_reason(tmp_path):
    (tmp_path / "runs").write_text("a file")
    blocked = objective(tmp_path, DOUBLE)
    assert "cannot be written" in blocked.evaluate(ROWS.head(1))["reason"][7]
    assert "which is a file" in blocked.check(())[0]


def test_no_shell_unless_asked(tmp_path):
    plain = CommandObjective("echo $HOME > results.csv", {"p": ""}, folder=str(tmp_path / "runs"))
    assert plain.evaluate(ROWS.head(1))["reason"][7] == "the program did not write results.csv"
    spaced = tmp_path / "with space"
    text = "printf 'p\\n%s\\n' $(wc -l < {candidate}) > {results}"
    asked = CommandObjective(text, {"p": ""}, folder=str(spaced), shell=True)  # noqa: S604 - what is tested
    result = asked.evaluate(ROWS.head(1))
    assert result["reason"].tolist() == [None]
    assert result["p"].tolist() == [2.0]


def test_a_rerun_never_sees_a_folder_of_a_killed_run(tmp_path):
    code = (
        "import os, sys, time\n"
        "if os.path.exists('results.json'): sys.exit(9)\n"
        "open('results.json', 'w').write('{\"twice\": 4}')\n"
        f"time.sleep(0 if os.path.exists({str(tmp_path / 'again')!r}) else 30)\n"
    )
    own = objective(tmp_path, code)
    script = (
        "import pandas as pd\nfrom invdesign.objectives.command.objective import CommandObjective\n"
        f"CommandObjective({own.command!r}, {own.units!r}, 'json', {own.folder!r})"
        ".evaluate(pd.DataFrame({'x': [2.0], 'name': ['LiCoO2']}, index=[7]))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], start_new_session=True)
    try:
        results = None
        for _ in range(200):
            results = next((tmp_path / "runs").glob("*/results.json"), None) if (tmp_path / "runs").exists() else None
            if results is not None:
                break
            time.sleep(0.1)
        assert results is not None
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    (tmp_path / "again").write_text("")
    assert own.evaluate(ROWS.head(1))["twice"].tolist() == [4.0]
    first, second = runs(tmp_path)
    assert (first.name[-4:], second.name[-4:]) == ("run1", "run2")
    assert not (first / "ended.json").exists()
    assert (second / "ended.json").exists()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"command": ""}, "command is empty"),
        ({"command": "run 'x"}, "cannot be split"),
        ({"command": "run {candidat}"}, "Did you mean 'candidate'"),
        ({"units": {}}, "'units' needs 1 entry or more"),
        ({"units": {"p": "vlot"}}, "not a known unit"),
        ({"format": "xml"}, "Unknown format 'xml'"),
        ({"time_limit": 0.0}, "'time_limit'"),
        ({"command": ["a"], "shell": True}, "one text"),
    ],
)
def test_bad_settings_are_refused(settings, words):
    with pytest.raises(InputError, match=words):
        CommandObjective(**{"command": "run", "units": {"p": ""}, **settings})


def test_a_campaign_goes_on_when_programs_fail(tmp_path):
    code = (
        "import json, os, signal, sys, time\n"
        "x = json.load(open(sys.argv[1]))['x']\n"
        "if x < 0.2: sys.exit(3)\n"
        "if x < 0.4: os.kill(os.getpid(), signal.SIGKILL)\n"
        "if x < 0.6: sys.exit(0)\n"
        "json.dump({'twice': 2 * x}, open(sys.argv[2], 'w'))\n"
    )
    campaign = ind.Campaign(
        ind.SearchSpace(x=ind.Continuous(0.0, 1.0)),
        ind.Targets(ind.AtLeast("twice", 1.4)),
        optimizer=ind.RandomOptimizer(),
        seed=0,
        initial=6,
    )
    campaign.run(objective(tmp_path, code), evaluations=12)
    reported = campaign.frame()["reason"].dropna().tolist()
    assert len(reported) > 2
    assert len(set(reported)) > 1
    assert len(campaign.hits()) > 0


def test_the_example_runs(examples, tmp_path):
    setting = ind.read_campaign(examples / "own-program.yaml")
    assert setting.objective.folder == str(examples / "runs")
    kept = replace(setting.objective, folder=str(tmp_path / "runs"))
    found = kept.evaluate(pd.DataFrame({"thickness": [60.0], "porosity": [0.3]}))
    assert found["reason"].tolist() == [None]
    assert found["areal_capacity"][0] == pytest.approx(3.41, abs=0.01)
