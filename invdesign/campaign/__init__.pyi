# The public names: lazy_loader reads them here (SPEC 1), and so do type checkers.

from .campaign import Campaign
from .execution.executor import WorkerPool
from .failures import Failures
from .run_settings import RunSettings
from .status import Status

__all__ = ["Campaign", "Failures", "RunSettings", "Status", "WorkerPool"]
