"""The part of plotly.js that the report's figures use: a quarter of the whole, so that pages stay small.

plotly.js comes as one file, in the package plotly, with a function for each of its modules (the format of esbuild), of
which one registers all kinds of traces. Registered are the kinds that are used, and kept the modules that these and the
core need, as plotly's own partial bundles are made. A file of another format is kept whole.
"""

from __future__ import annotations

import re
from collections.abc import Collection

MODULE = re.compile(r"var ([\w$]+)=([\w$]+)\((?:\([\w$,]*\)|[\w$]+)=>\{")
"""A module: its name and the function that makes it one."""
NEWER = re.compile(r"([\w$]+)=[\w$]+\(\(\)=>\{")
"""A module of the newer kind, which exports names instead of a value."""
CALL = re.compile(r"([\w$]+)\(\)")
REGISTERED = re.compile(r"([\w$]+\.register\(\[)((?:[\w$]+\(\),?)+)\]\)")
EXPORTED = re.compile(r"exports=([\w$]+)\(\)")
TRACE = re.compile(r'moduleType:"trace",name:"([\w-]+)"')
END = "});"


def plotly_part(source: str, traces: Collection[str]) -> str:
    """plotly.js with some kinds of traces only, or the whole if its format is unknown.

    Args:
        source: text of plotly.min.js.
        traces: kinds of traces, such as ``bar``; ``scatter`` belongs to the core.
    """
    registrations = list(REGISTERED.finditer(source))
    if len(registrations) != 1:
        return source
    (registration,) = registrations
    found = list(MODULE.finditer(source, 0, registration.start()))
    maker = found[-1].group(2) if found else ""
    starts = [one for one in found if one.group(2) == maker]
    if not starts:
        return source
    last = starts.pop()  # the module that registers, and what follows it
    ends = [one.start() for one in (*starts[1:], last)]
    modules = {one.group(1): source[one.start() : end] for one, end in zip(starts, ends, strict=True)}
    if not all(text.endswith(END) for text in modules.values()):
        return source
    # A module of the newer kind stands behind an older one, in the same piece of the text.
    owner = {name: piece for piece, text in modules.items() for name in NEWER.findall(text)}
    owner |= {name: name for name in modules}
    kept = [name for name in CALL.findall(registration.group(2)) if _trace(name, modules) in traces]
    if len(kept) != len(set(traces) - {"scatter"}):
        return source
    rest = source[last.start() :].replace(
        registration.group(0), f"{registration.group(1)}{','.join(f'{name}()' for name in kept)}])"
    )
    head = source[: starts[0].start()]
    needed = _needed(f"{head}{rest}", modules, owner)
    return f"{head}{''.join(text for name, text in modules.items() if name in needed)}{rest}"


def _trace(name: str, modules: dict[str, str]) -> str:
    """The kind of trace that a registered module exports; empty if it is none."""
    exported = EXPORTED.search(modules.get(name, ""))
    kind = TRACE.search(modules.get(exported.group(1), "")) if exported else None
    return kind.group(1) if kind else ""


def _needed(text: str, modules: dict[str, str], owner: dict[str, str]) -> set[str]:
    """The modules that a text calls, directly or through others."""
    needed: set[str] = set()
    waiting = [text]
    while waiting:
        called = {owner[name] for name in CALL.findall(waiting.pop()) if name in owner} - needed
        needed |= called
        waiting += [modules[name] for name in called]
    return needed
