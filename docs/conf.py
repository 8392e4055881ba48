"""How the documentation site is built: `make docs`."""

from importlib import metadata

project = "Shuke"
author = "The Shuke founders"
release = metadata.version("shuke")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.apidoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

# The reference is made from the docstrings anew with each build; its pages are not kept in the repository.
apidoc_modules = [
    {
        "path": "../src/shuke",
        "destination": "reference/api",
        "separate_modules": True,
        "module_first": True,
        # Each name is described in the file that defines it; the doors only pass names on.
        "automodule_options": ["members", "show-inheritance", "ignore-module-all"],
    }
]
autodoc_typehints = "description"
autodoc_member_order = "bysource"
add_module_names = False

html_theme = "furo"
html_title = "Shuke 熟客"
html_show_sphinx = False
