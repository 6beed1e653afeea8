"""The ``style`` space: how a picture is developed, apart from what it shows; and the training of it.

* ``development``: Estimate how photos are developed: the settings of the preset that comes closest
* ``network``: Network of the ``style`` space: a picture's statistics, encoded as a unit vector
* ``noise``: The mask of Immerkær's noise estimate, for NumPy arrays and for tensors
* ``statistics``: Statistics that ``style`` is made from: tone, colour, grain, and early activations of a network
* ``tone``: Statistics of tone, colour, fall-off and grain of whole pictures, hardly dependent on content
* ``train``: Train the shipped style encoder and development reader
* ``training``: Train the encoder of the ``style`` space on photos developed by invented photographers
"""
