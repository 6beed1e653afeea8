"""Talks to people and programs: pages, JSON API, command line.

It never holds logic that two front ends need; that is in the packages below.

Start with ``app``.

* ``access``: Who asks, and what that allows: used by the guard of every request and by calls that look closer
* ``api``: The JSON API: the questions of ``search`` and the jobs of ``ingest`` over HTTP
* ``charts``: Charts as SVG, made on the server without scripts
* ``commands``: The command line: each command a module that asks the API
* ``evidence``: Evidence of predictions: one HTML file that holds all it shows
* ``pages``: The pages: the same questions as the API, for people
* ``app``: Make the Flask application of a node: guard, JSON API, media and pages
* ``auth``: Access control: exposure, host, token, session and forms
* ``bodies``: How large the body of a request may be, and whether a body is received at all
* ``checks``: Checks of ``likewise doctor``
* ``cli``: The ``likewise`` command line: find and run a command, turn errors into messages and exit statuses
* ``client``: Client of the JSON API for the command line
* ``errors``: Answer errors over HTTP: problem details (``web.api.problem``) for programs, a page for people
* ``export``: Write vectors to files for other programs, atomically and with the memory of one page
* ``near``: Reads and writes a place with a radius as people type it: ``52.52,13.405,1000``
* ``plain``: Convert dataclasses to JSON and back, in the same way for ``--json`` and for the API
* ``processes``: Serve from several processes: this one forks them, and starts another for each that ends
* ``running``: Find the running server of a data directory by ``server.json`` in it
* ``serve``: Serve pages and API of a node from this process until a signal ends it
* ``server``: The HTTP server: waitress, with limits on what slow and greedy clients can take
* ``supervised``: Runs a command in a child of this process, so that an end in the middle of an instruction is told in
  words
* ``wording``: Texts about answers that pages, terminal and notes of the API share
"""
