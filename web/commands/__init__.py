"""The command line: each command a module that asks the API.

It never opens the store itself.

Start with ``context``.

* ``library``: Commands that fill and keep a library
* ``photographers``: Commands of ``likewise photographers``, a module each; they import what they need when they run
* ``questions``: Commands that ask: similar, search, duplicates, evaluate, export
* ``service``: Commands that start processes, and look after them
* ``context``: Context of every command: ``--home``, ``--json``, settings, and the two output streams
* ``job_progress``: Show the progress of a job until it ends: a bar on a terminal, plain lines elsewhere; Ctrl-C stops
  it
* ``path_arguments``: Type of command-line arguments that name a folder or file by its path or its bucket address
* ``step_progress``: Show the progress of steps in this process: a bar on a terminal, plain lines elsewhere
"""
