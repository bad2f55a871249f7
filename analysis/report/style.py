"""The style sheet as text."""

from importlib.resources import files

STYLE = files("analysis.report").joinpath("style.css").read_text("utf-8")
"""The style sheet of the report and of the local pages: colours for light, dark and paper as custom properties."""
