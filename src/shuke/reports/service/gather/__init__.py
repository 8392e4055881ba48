"""Gathering: the analytical core is asked, and its answers become :class:`Figures`. Nothing is computed twice."""

from shuke.reports.service.gather.everything import Gathered, Terms, gather

__all__ = ["Gathered", "Terms", "gather"]
