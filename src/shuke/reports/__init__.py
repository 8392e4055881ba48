"""The lifetime-value report: figures, findings, strategies and their exports.

Knows ``collect`` (what was read), ``insight`` (the analytical core), ``platform`` (the engine) and ``base``.
:func:`build_report` makes the report, :func:`write_report` its files.
"""

from shuke.reports.model import Report
from shuke.reports.service import Terms, build_report
from shuke.reports.service.files import write_report

__all__ = ["Report", "Terms", "build_report", "write_report"]
