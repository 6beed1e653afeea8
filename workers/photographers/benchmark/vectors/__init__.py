"""The joint model's vectors held against the presets they stand for.

They never use a library's photographers.

Start with ``train``.

* ``accuracy``: Accuracy of photographers' vectors where the truth is known: invented photographers, each a preset
* ``colour_distance``: Colour difference between presets, as opposed to the difference of their parameters
* ``train``: Checks of the photographers' vectors that the joint model learns, against the true presets
"""
