"""The lifetime-value report: figures, findings, strategies and their exports.

Knows ``collect`` (what was read), ``insight`` (the analytical core), ``platform`` (the engine) and ``base``.
:func:`build_reports` gathers once and words it in each language, :func:`write_report` the files of one.
"""

from shuke.reports.model import Report
from shuke.reports.rules.stages import check_stages
from shuke.reports.service import Terms, build_reports
from shuke.reports.service.files import write_report
from shuke.reports.service.stored import stored

__all__ = ["Report", "Terms", "build_reports", "check_stages", "stored", "write_report"]
