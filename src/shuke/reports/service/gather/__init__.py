"""Gathering: the analytical core is asked, and its answers become :class:`Figures`. Nothing is computed twice."""

from shuke.reports.service.gather.everything import Gathered, Terms, gather, quality_figures

__all__ = ["Gathered", "Terms", "gather", "quality_figures"]
