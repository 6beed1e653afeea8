"""Videos and sounds: streams, frames, key frames, movement, samples.

It never follows a reference to another file.

Start with ``streams``.

* ``audio``: A sound, as it is read, with its waveform drawn
* ``byte_reader``: Read an opened file for FFmpeg, each container at a position of its own
* ``channels``: Channels of a sound track: how loud each is, and whether their mean cancels what they carry
* ``choice``: Choose which streams of a recording are its film and its sound
* ``colour``: Frames as RGB pictures; HDR films are mapped to sRGB
* ``damage``: How much of a recording could not be read, as far as that is certain
* ``extent``: What a recording's own headers say of its bytes
* ``frames``: Decode the frames of a stream past whatever is broken in it, and keep account of what could not be read
* ``keyframes``: Choose the key frames of a video: at least one per shot and one each ten seconds
* ``listening``: Read a sound track from its start to its end: what can be heard of it, as one channel
* ``movement``: What is taken of a film for how it moves
* ``packets``: Whether the packets of a transport or programme stream are all there
* ``streams``: Decode videos and sounds by FFmpeg, opened so that a file cannot refer to other files
* ``upright``: Turn and mirror frames upright, as a film's display matrix says
* ``video``: Decode videos: key frames with their times, and what models of motion see: clips, or how it moves
"""
