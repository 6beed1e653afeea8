"""The description of the API that ``/openapi.json`` serves.

It answers no other call. Start reading at ``document``.

* ``desk_docs``: What the properties of calls of the picture desk mean, with an example
* ``development_docs``: What the properties of calls about developing photos mean, with an example
* ``document``: Serves ``/openapi.json`` (OpenAPI 3.1), derived from the operations and their dataclasses
* ``overlap_docs``: What the properties of calls about spans of films and sounds that are in others mean
* ``property_docs``: What each property and parameter of the API means, with an example, for ``/openapi.json``
* ``shoot_docs``: What the properties of calls about shoots and style over time mean, with an example
"""
