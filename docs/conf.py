"""How the documentation site is built: `make docs`."""

import os
from importlib import metadata

project = "Shuke"
author = "The Shuke founders"
release = metadata.version("shuke")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.apidoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

# The reference is made from the docstrings anew with each build; its pages are not kept in the repository.
# Each name is described in the file that defines it, and the doors only pass names on, hence ignore-module-all. By the
# environment, since apidoc's own setting reaches the pages of modules and not those of packages.
os.environ["SPHINX_APIDOC_OPTIONS"] = "members,show-inheritance,ignore-module-all"
apidoc_modules = [
    {
        "path": "../src/shuke",
        "destination": "reference/api",
        "separate_modules": True,
        "module_first": True,
    }
]
autodoc_typehints = "description"
autodoc_member_order = "bysource"
add_module_names = False

html_theme = "furo"
html_title = "Shuke 熟客"
html_show_sphinx = False
