"""The lifetime-value report: figures, findings, strategies and their exports.

Knows ``collect`` (what was read), ``insight`` (the analytical core), ``platform`` (the engine) and ``base``.
:func:`build_reports` gathers once and words it in each language, :func:`write_report` the files of one.
"""

import lazy_loader

# As in ``exports``.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
