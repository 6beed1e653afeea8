"""The joint model of photos and photographers: an image code, and one learnt vector per photographer.

It never opens untrusted files: pictures come from decoder children.

Start with ``train``.

* ``targets``: What the joint model predicts of a picture, and the distances its vectors are to keep
* ``autoencoder``: Image code: a small convolutional autoencoder, 224 x 224 pixels to 16 numbers and back
* ``budget``: Time budget of a training: ends it with what it has, or stops it
* ``encode``: Encode pictures by the saved autoencoder: image codes, places on the map of photos, and what is nearest
* ``experiments``: Trainings on extracted features: the photographers' vectors, and the baselines beside them
* ``files``: Files of a trained joint model: writing all of them, and reading what folding in needs
* ``fit``: Fit a joint model with one optimiser for network and vectors, and measure its held-out errors
* ``fold_in``: Fold a new photographer into the photographer space: their vector is fitted, everything else stays
* ``network``: Networks of the joint model: the published one, and the one whose vectors are kept
* ``options``: Options of a training of the joint model; imports no torch
* ``pictures``: Training pictures: whole, 224 x 224, decoded in the decoder's processes into one array on disk
* ``plots``: Plots of a photographer space, each a self-contained HTML page
* ``split``: Split photos into those to train on and those held out, keeping groups together
* ``tensorboard``: Log of a training for TensorBoard
* ``train``: Train the joint model on a library's photos, from pictures to files
"""
