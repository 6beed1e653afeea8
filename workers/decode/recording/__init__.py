"""Videos and sounds: streams, frames, key frames, clips, samples.

It never follows a reference to another file.

Start with ``streams``.

* ``audio``: Decode sounds to mono at 16 kHz, and draw their waveform
* ``clips``: Cut short clips from a video, as R3D-18 was trained on them
* ``frames``: Decode the frames of a stream; damage in its later part is tolerated
* ``keyframes``: Choose the key frames of a video: at least one per shot, more of long shots
* ``streams``: Decode videos and sounds by FFmpeg, opened so that a file cannot refer to other files
* ``video``: Decode videos: key frames with their times, and on request the clips of a motion model
"""
