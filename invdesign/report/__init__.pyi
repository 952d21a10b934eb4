# The names of the package; lazy_loader reads them here (SPEC 1), and so do type checkers.

from .page import write_report

__all__ = ["write_report"]
