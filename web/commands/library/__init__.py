"""Commands that fill and keep a library.

They never do the work themselves: a job does.

Start with ``ingest``.

* ``backup``: ``likewise backup``: write everything that is stored and known to a folder of files
* ``calibrate``: ``likewise calibrate``: learn on labelled folders how likely a score means the same label
* ``failures``: ``likewise failures``: list files that failed, with the reason, or try them again
* ``ingest``: ``likewise ingest``: ingest folders and files
* ``jobs``: ``likewise jobs``: list jobs, show one, follow it, pause it, resume it or cancel it
* ``migrate``: ``likewise migrate``: copy the store to a server, or back into an embedded one
* ``overlaps``: ``likewise overlaps``: find which span of which film or sound is in which other
* ``reembed``: ``likewise reembed``: change the model of a space without downtime
* ``restore``: ``likewise restore``: restore a backup into an empty data directory
* ``verify``: ``likewise verify``: read back everything that is stored, name what is damaged, and repair it
* ``status``: ``likewise status``: count the records of each collection, and name the model of each space
"""
