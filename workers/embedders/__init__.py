"""Networks: decoded media to vectors.

It never reads files or stores; descriptions without weights are in ``search.model_descriptions``.

Start with ``models``.

* ``appearance``: The ``appearance`` space: all that the layers of a network see in a picture, within its borders, in
  256 numbers
* ``image``: Networks that see single pictures, and what is read off their outputs
* ``sound``: Sounds as vectors, a row for each segment of a recording
* ``style``: The ``style`` space: how a picture is developed, apart from what it shows; and the training of it
* ``video``: Networks that see movement
* ``builders``: The function that makes a model, found by the ``module:function`` of its description
* ``choice``: Choice of the models to embed with: by what is stored, then by settings, then by available weights
* ``hub``: Weights from the Hugging Face hub, from its cache or downloaded into it
* ``models``: Embed decoded media with the chosen models: vectors by space, tags and frames of concepts
* ``network_probe``: Whether servers that offer weights answer within seconds
* ``networks``: Run a network over uint8 rows in batches on any device, and modules that networks share
* ``weights``: Get the weights of a model: torchvision's, of an installed package, or from the Hugging Face hub
"""
