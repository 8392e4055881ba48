"""``python -m shuke.app``: the command line, for a process that starts another of itself."""

from shuke.app.cli import main

if __name__ == "__main__":
    main()
