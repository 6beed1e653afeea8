"""What videos are like: what their key frames show, and how they move.

They never decode.

Start with ``frames``.

* ``fit_flow``: Fit the mean and deviation by which movement is standardised, on films made by code and on real ones
* ``flow``: Vector of ``motion`` of how a film moves: standardised parts of equal weight
* ``frames``: Vector of ``scene`` from a video's key frames: their mean and deviation
* ``movements``: Films of known movement, made by code: a photo, and a camera or a scene that moves
* ``r3d``: R3D-18 on Kinetics-400: the 512 averaged activations of a clip before the classifier
"""
