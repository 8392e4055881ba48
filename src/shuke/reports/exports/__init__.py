"""The report as files: web page, PDF, workbook, data and the customer lists. Each renders the same frozen report.

The exports add no statement of their own; what they say themselves (contents, figure, source …) is in ``locale``.
``html`` and ``pdf`` show the same outline (``outline``) and the same figures (``charts``), which a caller that wants
both lays out and draws once.
"""

import lazy_loader

# What draws and sets is loaded for the first report that is made: a server that starts, and each of its workers, would
# wait a second for it.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
