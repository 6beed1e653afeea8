"""What a node embeds with: models in this process, or workers elsewhere.

They never know of Flask or HTTP.

Start with ``local``.

* ``cluster``: Engine that sends batches and uploads to workers through the broker; imports no model library
* ``local``: Engine that decodes and embeds on this machine; models and decoders are made when first used
"""
