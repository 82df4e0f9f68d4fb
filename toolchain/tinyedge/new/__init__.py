"""Projects of a user's own: what data asks for, and the files that a project starts with.

One template a file, found by discovery; each proposes a task, a network and a recipe for data of its kind, and says
why.
"""
