"""Thousands of short evaluations within one allocation of a cluster, by Parsl (parsl-project.org; pip install parsl).

Parsl's own executor is passed on; any `concurrent.futures` executor is. Here its workers run on this machine: replace
LocalProvider by SlurmProvider and the like. Some seconds:

    python examples/parsl_campaign.py
"""

import sys
import tempfile

from parsl.concurrent import ParslPoolExecutor
from parsl.config import Config
from parsl.executors import HighThroughputExecutor
from parsl.providers import LocalProvider

import invdesign as ind


def branin(x: float, y: float) -> dict[str, float]:
    """Branin's function, in place of a simulation."""
    from math import cos, pi

    return {"f": (y - 5.1 * x**2 / (4 * pi**2) + 5 * x / pi - 6) ** 2 + 10 * (1 - 1 / (8 * pi)) * cos(x) + 10}


def main(workers: int = 2, evaluations: int = 40) -> None:
    """Minimizes it on Parsl's workers."""
    space = ind.SearchSpace(x=ind.Continuous(-5, 10), y=ind.Continuous(0, 15))
    campaign = ind.Campaign(space, ind.Targets(ind.Minimize("f")), seed=1)
    objective = ind.PythonObjective(branin, {"f": ""}, isolated=False)  # Parsl's workers are processes already
    with tempfile.TemporaryDirectory() as folder:
        allocation = HighThroughputExecutor(
            label="allocation", address="127.0.0.1", max_workers_per_node=workers, provider=LocalProvider(max_blocks=1)
        )
        config = Config(executors=[allocation], run_dir=folder, usage_tracking=0)
        with ParslPoolExecutor(config) as executor:
            campaign.run(objective, evaluations=evaluations, in_flight=2 * workers, executor=executor)
    best = campaign.best(1).iloc[0]
    sys.stdout.write(f"{len(campaign.frame())} evaluations; the least f is {best['f']:.3f} (the minimum is 0.398)\n")


if __name__ == "__main__":
    main()
