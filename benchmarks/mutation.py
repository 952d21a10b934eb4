"""Mutation testing: how many small faults in a package pass its tests unnoticed.

    pip install cosmic-ray
    OMP_NUM_THREADS=1 python benchmarks/mutation.py --label before --source COMMIT
    OMP_NUM_THREADS=1 python benchmarks/mutation.py --label after --source COMMIT

A mutant is a package with one fault: another operator or comparison, a number changed by one, a condition negated, an
exception that is not caught, a decorator or a loop left out. It survives where the package's own tests still pass.

cosmic-ray rather than mutmut makes the faults, because mutmut 3 replaces function bodies only: a threshold in a module
constant or the default of a dataclass field, where the constants of physics stand, would never be touched. Physics
tests take seconds, so that a random sample is tested: at most one fault for each place in the source, and mutants whose
program is the same (a fault in an annotation) are left out. Every mutant is tested in a forked process, which spares
it the import of numpy, torch and PyBaMM.

The sources are those of ``--source``, the tests those of ``--tests`` (the working tree unless given), both in a folder
of their own. A mutant that tests have killed under another label with the same sources is not run again: tests were
added since and none was taken away, which is what this comparison is for (``--everything`` runs it nevertheless).
"""

from __future__ import annotations

import argparse
import ast
import io
import json
import os
import random
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["PYTHONDONTWRITEBYTECODE"] = "1"  # two mutants of one size within a second would share their bytecode
sys.dont_write_bytecode = True

ROOT = Path(__file__).parents[1]
SEED = 20
HEAVY = (
    "numpy", "pandas", "scipy.stats", "scipy.optimize", "sklearn.ensemble", "torch", "gpytorch", "botorch",
    "hypothesis", "pybamm", "pint", "pytest", "moocore",
)  # fmt: skip
"""What the tests import and no mutant changes."""


@dataclass(frozen=True)
class Package:
    """What is mutated, and what tests it.

    Attributes:
        sources: a folder of the repository.
        tests: files and folders of the repository.
        sample: mutants to test.
    """

    sources: str
    tests: tuple[str, ...]
    sample: int


PACKAGES = {
    "targets": Package("invdesign/targets", ("tests/invdesign/targets",), 120),
    "cell": Package("objectives/cell", ("tests/objectives/cell",), 60),
    "bayesian": Package("invdesign/optimizers/bayesian", ("tests/invdesign/optimizers/bayesian",), 50),
}


@dataclass(frozen=True)
class Mutant:
    """One fault.

    Attributes:
        file: path in the repository.
        operator: cosmic-ray's name of the kind of fault.
        occurrence: how many places of this kind precede it in the file.
        line: where it is.
        change: the line before and after.
    """

    file: str
    operator: str
    occurrence: int
    line: int
    change: str


def mutants(tree: Path, package: Package, seed: int) -> tuple[list[Mutant], int]:
    """Draws the sample; returns it together with the number of places it is drawn from."""
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.plugins import get_operator, operator_names

    rng = random.Random(seed)
    sites: dict[tuple[str, Any, Any], list[tuple[str, int]]] = {}
    for path in sorted((tree / package.sources).rglob("*.py")):
        file = str(path.relative_to(tree))
        parsed = get_ast(path.read_text(encoding="utf-8"))
        for name in sorted(operator_names()):
            if get_operator(name).arguments():
                continue
            operator = get_operator(name)()
            spans = (span for node in ast_nodes(parsed) for span in operator.mutation_positions(node))
            for occurrence, (start, end) in enumerate(spans):
                sites.setdefault((file, start, end), []).append((name, occurrence))
    drawn: list[Mutant] = []
    places = 0
    for (file, (line, _), _), choices in rng.sample(sorted(sites.items()), len(sites)):
        source = (tree / file).read_text(encoding="utf-8")
        name, occurrence = rng.choice(choices)
        faulty = mutated(source, name, occurrence)
        if faulty is None or program(faulty) == program(source):
            continue
        places += 1
        if len(drawn) < package.sample:
            drawn.append(Mutant(file, name.removeprefix("core/"), occurrence, line, difference(source, faulty)))
    return drawn, places


def mutated(source: str, operator: str, occurrence: int) -> str | None:
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator

    return mutate_code(source, get_operator(operator)(), occurrence)


def program(source: str) -> str:
    """What a source does, without the annotations, which nothing evaluates; empty if it is no Python."""

    class Bare(ast.NodeTransformer):
        def visit_arg(self, node: ast.arg) -> ast.arg:
            node.annotation = None
            return node

        def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
            node.returns = None
            return self.generic_visit(node)

        def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
            node.annotation = ast.Name("None")
            return self.generic_visit(node)

    try:
        return ast.dump(Bare().visit(ast.parse(source)))
    except SyntaxError:
        return ""


def difference(before: str, after: str) -> str:
    changed = [
        (old.strip(), new.strip())
        for old, new in zip(before.splitlines(), after.splitlines(), strict=False)
        if old != new
    ]
    old, new = changed[0] if changed else ("", "")
    return f"{old} -> {new}"


def tested(tree: Path, package: Package, limit_s: float) -> tuple[str, float]:
    """Runs the tests in a forked process.

    Returns:
        ``survived``, ``killed`` or ``time limit``, and the seconds.
    """
    start = time.monotonic()
    child = os.fork()
    if not child:
        os.setsid()
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        code = 1
        try:
            os.chdir(tree)
            import pytest

            preloaded = "ignore::pytest.PytestAssertRewriteWarning"
            code = int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-W", preloaded, *package.tests]))
        finally:
            os._exit(code)
    while time.monotonic() - start < limit_s:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            seconds = time.monotonic() - start
            return ("survived" if os.waitstatus_to_exitcode(status) == 0 else "killed"), seconds
        time.sleep(0.05)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "time limit", time.monotonic() - start


def unpack(commit: str, paths: tuple[str, ...], tree: Path) -> None:
    archive = subprocess.run(["git", "archive", commit, *paths], cwd=ROOT, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(tree, filter="data")


def lay_out(source: str, tests: str | None, tree: Path) -> None:
    """Puts the sources of one commit and the tests of another, or of the working tree, into one folder."""
    unpack(source, (".",), tree)
    subprocess.run(["rm", "-r", str(tree / "tests")], check=True)
    if tests is not None:
        unpack(tests, ("tests",), tree)
    else:
        subprocess.run(["cp", "-r", str(ROOT / "tests"), str(tree / "tests")], check=True)


def survival(tree: Path, package: Package, seed: int, killed: set[Mutant]) -> dict[str, Any]:
    """Tests a package's sample."""
    outcome, whole = tested(tree, package, 900.0)
    if outcome != "survived":
        raise SystemExit(f"The tests of {package.sources} do not pass on the sources as they are.")
    limit_s = 3.0 * whole + 30.0
    sample, places = mutants(tree, package, seed)
    results = []
    for number, mutant in enumerate(sample):
        outcome, seconds = "killed", 0.0
        if mutant not in killed:
            path = tree / mutant.file
            source = path.read_text(encoding="utf-8")
            faulty = mutated(source, f"core/{mutant.operator}", mutant.occurrence)
            path.write_text(faulty or source, encoding="utf-8")
            outcome, seconds = tested(tree, package, limit_s)
            path.write_text(source, encoding="utf-8")
        results.append({**asdict(mutant), "outcome": outcome})
        print(
            f"{number + 1}/{len(sample)} {outcome} {seconds:.1f} s {mutant.file}:{mutant.line} {mutant.change}",
            flush=True,
        )
    survivors = [result for result in results if result["outcome"] == "survived"]
    return {
        "sources": package.sources,
        "tests": list(package.tests),
        "places where a fault was possible": places,
        "mutants": len(results),
        "survived": len(survivors),
        "ended by the time limit, counted as killed": sum(result["outcome"] == "time limit" for result in results),
        "survival rate": round(len(survivors) / len(results), 3),
        "seconds of the tests": round(whole, 1),
        "sample": results,
    }


def known_kills(record: dict[str, Any], name: str, source: str) -> set[Mutant]:
    """Mutants of the same sources that tests have killed under any label."""
    fields = Mutant.__dataclass_fields__
    return {
        Mutant(**{field: result[field] for field in fields})
        for run in record.get("runs", {}).values()
        if run["source"] == source
        for result in run["packages"].get(name, {}).get("sample", ())
        if result["outcome"] != "survived"
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--label", default="latest", help="under which the run is recorded")
    parser.add_argument("--source", default="HEAD", help="commit whose sources are mutated")
    parser.add_argument("--tests", help="commit whose tests are run; the working tree's without it")
    parser.add_argument("--packages", nargs="*", default=list(PACKAGES), choices=list(PACKAGES))
    parser.add_argument("--everything", action="store_true", help="run mutants again that tests have killed before")
    parser.add_argument("--seed", type=int, default=SEED)
    arguments = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).parent))
    from _record import read_result, write_result

    def commit(name: str) -> str:
        words = ["git", "rev-parse", "--short=12", name]
        return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()

    source = commit(arguments.source)
    tests = commit(arguments.tests) if arguments.tests else None  # now: a branch may move while mutants are tested
    os.environ["PYBAMM_DISABLE_TELEMETRY"] = "true"
    for module in HEAVY:
        __import__(module)
    for name in arguments.packages:
        kept = read_result("mutation").get("runs", {})
        with tempfile.TemporaryDirectory() as folder:
            tree = Path(folder)
            lay_out(source, tests, tree)
            os.environ["PYTHONPATH"] = folder
            sys.path.insert(0, folder)
            killed = set() if arguments.everything else known_kills({"runs": kept}, name, source)
            result = survival(tree, PACKAGES[name], arguments.seed, killed)
            sys.path.remove(folder)
        run = kept.setdefault(arguments.label, {"source": source, "packages": {}})
        run |= {"source": source, "tests": tests or "working tree"}
        run["seed"] = arguments.seed
        run["packages"][name] = result
        file = write_result(
            "mutation", {"runs": kept}, packages=("cosmic-ray", "pytest", "hypothesis", "pybamm", "torch")
        )
        print(json.dumps({key: value for key, value in result.items() if key != "sample"}, indent=2), file, flush=True)


if __name__ == "__main__":
    main()
