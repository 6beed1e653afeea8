"""Decoder child processes, their limits, and the conversation with them.

It never decodes in the parent process.

Start with ``pool``.

* ``child``: Decoder child process: decodes one file at a time on request
* ``options``: Options of a decoder child, given once at its start
* ``pool``: Pool of decoder child processes: files in, futures of decoded media out, isolated from this process
* ``process``: One decoder child process: start it, give it files, replace it, end it
* ``protocol``: Protocol between the pool and a decoder child: length-prefixed JSON headers, then raw arrays
"""
