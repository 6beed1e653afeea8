"""Decoder child processes, their limits, and the conversation with them.

It never decodes in the parent process.

Start with ``pool``.

* ``child``: Decoder child process: decodes one file at a time on request
* ``frames``: Frames of the pipe between this process and a decoder child: a JSON header, then raw arrays
* ``handover``: Hand an opened file to a decoder child: descriptors over a socket, then a header that names them
* ``landlock``: Landlock: what this process can open, connect to and signal, restricted for good
* ``options``: Options of a decoder child, given once at its start
* ``pool``: Pool of decoder child processes: files in, futures of decoded media out, isolated from this process
* ``powers``: Powers that a decoder child gives up before it reads the first request, as far as the kernel can take them
* ``preview_child``: Decoder child process of previews: reads luminance or colours of WebP pictures and nothing else
* ``process``: One decoder child process: start it, give it files, replace it, end it
* ``protocol``: Protocol between the pool and a decoder child: what is in the frames of their pipe
* ``seccomp``: Seccomp: a filter that leaves a decoder the system calls it computes with, and none that act on others
* ``sound_pieces``: The sound of a file on its way from a decoder child to the parent, piece by piece
* ``vector_cache_child``: Decoder child process of vector caches: reads ``.npz`` and joblib files and nothing else
"""
