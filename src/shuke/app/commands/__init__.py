"""One module a command: its options and what it does. Loaded only when the command is called."""
