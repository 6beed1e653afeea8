"""The ``appearance`` space: all that the layers of a network see in a picture, within its borders, in 256 numbers.

Photographers are told apart by it; no question by example is asked of it.

* ``network``: Network of the ``appearance`` space: statistics of all layers, projected
* ``projection``: Projection of statistics to the numbers that are stored, and the file of it
* ``statistics``: Mean and deviation of every channel of EfficientNet-Lite0's stages, and its last layer
* ``train``: Fit the shipped projection
"""
