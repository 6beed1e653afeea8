"""What the joint model predicts of a picture, and the distances its vectors are to keep.

They never train.

Start with ``coordinates``.

* ``coordinates``: Style coordinates: directions in which photographers differ more than their own photos do
* ``mds_targets``: Target distances between photographers, from how they develop, and vectors to start from
* ``style``: Statistics that style coordinates are made from: tone, and activations of early layers of a network
* ``tone``: Global features and tone statistics of whole pictures, which the joint models predict
"""
