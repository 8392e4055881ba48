from .exports import write_report
from .model import Report
from .rules.stages import check_stages
from .service import Terms, build_reports
from .service.stored import stored

__all__ = ["Report", "Terms", "build_reports", "check_stages", "stored", "write_report"]
