"""The documentation as a web site: README, the guides as they are, and a reference made of the docstrings.

Its source folder is the repository, so that links from page to page are the same here and on a code host. Build it with
Tauten installed and nothing fetched: `sphinx-build -W -c docs/site . OUT`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.ext.napoleon.docstring import GoogleDocstring

import tauten

project, author = "Tauten", "Tauten"
version = release = tauten.__version__

extensions = ["sphinx.ext.autodoc", "myst_parser"]
root_doc = "README"
include_patterns = ["README.md", "CHANGELOG.md", "docs/**", "benchmarks/README.md", "third_party/README.md"]
exclude_patterns = ["docs/site/contents.md"]

html_theme = "furo"
html_title = f"Tauten {version}"
html_copy_source = html_show_copyright = False
html_extra_path = ["index.html"]
html_static_path = ["style.css"]
html_css_files = ["style.css"]

myst_heading_anchors = 3
smartquotes_action = "D"  # dashes; quotes are code
add_module_names = False
maximum_signature_line_length = 90
toc_object_entries_show_parents = "hide"
autodoc_typehints = "none"
autodoc_member_order = "bysource"
autodoc_inherit_docstrings = False
autodoc_default_options = {
    "members": True,
    # Methods of private bases count as the class's own; those of these are described once, with the base.
    "inherited-members": "Callback, Constraint, Formula, FunctionLoss, Initializer, Layer, LearningRateSchedule, Loss, "
    "Metric, Model, Optimizer, Regularizer, BaseEstimator, ClassifierMixin, RegressorMixin, object, tuple, dict",
}


class Docstring(GoogleDocstring):
    """Sections Args, Attributes, Returns, Raises: fields of one or several names; what is returned is prose."""

    def _parse_attributes_section(self, section: str) -> list[str]:
        return self._format_docutils_params(self._consume_fields(multiple=True), "ivar", "vartype")

    def _consume_returns_section(self, preprocess_types: bool = False) -> list[tuple[str, str, list[str]]]:
        return [("", "", self._dedent(self._consume_to_next_section()))]


def from_prose(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Docstrings are plain prose, where reStructuredText would see markup: only `code` and examples behind :: are."""
    example = None  # its indentation
    for number, line in enumerate(lines):
        indentation = len(line) - len(line.lstrip())
        if example is not None and line.strip() and indentation <= example:
            example = None
        if example is None:
            parts = re.split(r"(`[^`]+`)", line)
            parts[::2] = [re.sub(r"([\\*|]|_(?!\w))", r"\\\1", part) for part in parts[::2]]
            parts[1::2] = [f"`{part}`" for part in parts[1::2]]
            lines[number] = "".join(parts)
            example = indentation if line.endswith("::") else None
    lines[:] = Docstring(lines).lines()


def with_contents(app: Sphinx, page: str, source: list[str]) -> None:
    """The table of contents stands behind README, which on a code host has none."""
    if page == root_doc:
        source[0] += Path(app.confdir, "contents.md").read_text(encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", from_prose)
    app.connect("source-read", with_contents)
