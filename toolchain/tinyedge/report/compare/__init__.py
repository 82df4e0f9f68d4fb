"""Runs compared: read back from their documents, figure by figure and layer by layer."""

from tinyedge.report.compare.comparison import Comparison, compare_all, require_no_regression
from tinyedge.report.compare.documents import read_subjects, subjects_of
from tinyedge.report.compare.subject import Subject
from tinyedge.report.compare.thresholds import Thresholds, read_thresholds

__all__ = [
    "Comparison",
    "Subject",
    "Thresholds",
    "compare_all",
    "read_subjects",
    "read_thresholds",
    "require_no_regression",
    "subjects_of",
]
