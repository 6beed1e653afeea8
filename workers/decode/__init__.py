"""Untrusted bytes to arrays, in child processes with limits.

It never imports a model library.

Start with ``sandbox.pool``.

* ``fingerprints``: Fingerprints over time of films and sounds, by which reused footage is found
* ``image``: Pictures: pixels, camera raw files
* ``metadata``: What files say of themselves: when, where, with what and by whom they were taken
* ``recording``: Videos and sounds: streams, frames, key frames, clips, samples
* ``sandbox``: Decoder child processes, their limits, and the conversation with them
* ``cached_vectors``: Vectors and file names of another program's cache, read in a decoder child
* ``decoded``: Result of decoding one file: plain data, light to import
* ``file``: Decode one opened file: find its format by its first bytes, and call the decoder of that format
* ``kinds``: Kind of media of a file: by its name, before it is opened, and by its first bytes
* ``opened``: Open a file and its sidecars, so that they can be decoded without their paths
* ``perceptual``: 256-bit perceptual hashes of pictures and sounds, which survive editing
* ``revisions``: Revisions of decoding: what each changed, and the records whose files are decoded otherwise since
* ``vector_cache``: Read a cache of vectors with file names without unpickling anything but plain data
* ``sound``: The samples of a recording, whatever its length, in memory or in a temporary file
* ``thinned``: A series of unknown length in bounded memory: neighbouring rows are joined
* ``tone_mapping``: Map HDR and wide-gamut samples of stills and films to 8-bit sRGB
"""
