"""The models Likewise knows, as data: which space each fills, from which weights, on which preprocessing.

It never imports torch; ``workers.embedders`` builds what is described here.

Start with ``registry``.

* ``concepts``: Description of the space ``concepts``: WordNet's concepts and basic colours that a picture shows
* ``description``: Type of a model's description: all that is known of a model without loading it
* ``model_choice``: One model for each kind of media, and the schemas of the collections that they fill
* ``registry``: The list of every model
* ``text``: Descriptions of models that embed pictures and words into one space, ``meaning``, without loading them
"""
