"""What is wrong with a model, told from its file alone: one kind of trouble a file in `rules`, found by discovery."""

from tinyedge.diagnose.diagnose import diagnose, explain, list_explanations, require_codes

__all__ = ["diagnose", "explain", "list_explanations", "require_codes"]
