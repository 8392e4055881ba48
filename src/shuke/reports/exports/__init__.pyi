from .files import write_report
from .html import page_policy

__all__ = ["page_policy", "write_report"]
