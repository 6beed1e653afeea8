"""What is taken of a film for how it moves.

It never chooses key frames.

Start with ``flow``.

* ``clips``: Cut short clips from a video, as R3D-18 was trained on them
* ``flow``: How a film moves, in 221 numbers: optical flow between frames, told apart into camera and scene
* ``windows``: Choose the parts of a film whose movement is measured
"""
