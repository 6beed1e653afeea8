"""The HTTP server: waitress, with limits on what slow and greedy clients can take.

It never knows what an application answers; ``web.serve`` and ``web.processes`` give it one.

Start with ``web_server``.

* ``channel``: One connection: receives requests one by one, sends answers, and tells when its client is too slow
* ``compression``: Compresses texts that are answered to clients that take gzip
* ``deadlines``: Gives each request its deadline for store, ledger and broker, counted from its arrival
* ``held_threads``: Limits answers that keep a thread until their readers have taken all of them
* ``limits``: How long and how much the server waits for clients, and room for the bodies that it receives
* ``not_ready``: Answers for a process whose store or ledger is not there yet: it is alive, and not ready
* ``requests``: Parses a request within limits, and asks for permission before its body is received
* ``static_files``: Scripts, style sheets and icons, at addresses that change with their content
* ``tasks``: Answers a request by the application, or refuses it in the form of all errors
* ``web_server``: Accepts connections, closes slow ones, and finishes what is in work when it is told to stop
"""
