"""Who asks, and what that allows: used by the guard of every request (``web.auth``) and by calls that look closer.

It never answers a request itself.

* ``caller``: Who asks: with which scope, and whether it is this machine's own command line
* ``operations``: API calls that make, list and revoke tokens, and make addresses that log a browser in
* ``peer``: The account at the other end of a connection on this machine
* ``throttle``: Slows down those who guess tokens
"""
