"""Runs cases in copies of this process, many in each, and counts how they end.

A case is a function of its seed. Each has limits of processor time and memory; the outcome of a case that ends its
process is how the process ended.
"""

from __future__ import annotations

import faulthandler
import json
import os
import resource
import signal
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from invdesign.campaign_file.consent import ConsentError
from invdesign.core.errors import InputError

SECONDS = 5.0
"""Processor time of a case after which it counts as hung."""
MEMORY = 1 << 30
"""Bytes that a process may need beyond those of the imported libraries."""
VALID, REFUSED, CONSENT = "valid", "error in words", "refused without consent"
GOOD = frozenset({VALID, REFUSED, CONSENT, "the same values"})
"""Outcomes that a case may have."""
Case = Callable[[int], str]
"""Runs the case of a seed and returns its outcome."""


def outcomes(case: Case, seeds: Sequence[int], *, report: Callable[[int, str], None] | None = None) -> Counter[str]:
    """Counts the outcomes of the cases of some seeds; ``report`` gets each outcome that should not be."""
    counts: Counter[str] = Counter()
    left = list(seeds)
    while left:
        done = _in_child(case, left)
        for seed, outcome in done:
            counts[outcome.splitlines()[0]] += 1
            if outcome not in GOOD and report is not None:
                report(seed, outcome)
        left = left[len(done) :]
    return counts


def _in_child(case: Case, seeds: Sequence[int]) -> list[tuple[int, str]]:
    """Runs cases in a copy of this process until one ends it: the outcomes so far, that one's included."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.close(read)
        faulthandler.disable()
        limit = _data_bytes() + MEMORY
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with os.fdopen(write, "w") as stream:
            for seed in seeds:
                signal.setitimer(signal.ITIMER_PROF, SECONDS)
                outcome = _outcome(case, seed)
                signal.setitimer(signal.ITIMER_PROF, 0)
                stream.write(json.dumps(outcome) + "\n")
                stream.flush()
                if outcome.startswith("MEMORY"):
                    break
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as stream:
        done = [json.loads(line) for line in stream]
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code:
        done.append("HUNG" if code == -signal.SIGPROF else f"ENDED with {code}")
    return list(zip(seeds, done, strict=False))


def _outcome(case: Case, seed: int) -> str:
    try:
        return case(seed)
    except ConsentError:
        return CONSENT
    except InputError as error:
        return REFUSED if 0 < len(str(error)) < 20_000 else f"MESSAGE of {len(str(error))} characters"
    except MemoryError:
        return "MEMORY"
    # Any other error is what the fuzzer looks for, including SystemExit and panics of Rust libraries, which are not
    # derived from Exception. If one left this function, the copy of the process would go on as the process itself.
    except BaseException as error:  # noqa: BLE001 - every error is an outcome that is counted
        return f"TRACEBACK {type(error).__name__}\n{traceback.format_exc()}"


def _data_bytes() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData"))
