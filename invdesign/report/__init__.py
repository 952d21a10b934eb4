"""The report of a campaign: one self-contained HTML file, and tables for the command line."""

from invdesign.report.page import write_report

__all__ = ["write_report"]
