"""Networks that see movement.

They never decode.

Start with ``r3d``.

* ``frames``: Vector of a video from its key frames: mean and deviation, where no motion model is used
* ``r3d``: R3D-18 on Kinetics-400: the 512 averaged activations of a clip before the classifier
"""
