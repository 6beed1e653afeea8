"""What sets photographers apart: traits, styles, sessions, doubtful credits, maps.

It needs no trained model.

Start with ``people``.

* ``charts``: Maps of photographers by the mean vectors of their photos, without training
* ``comparison``: Two photographers beside each other: what tells them apart, what is alike, who is taken for whom
* ``miscredits``: Photos that are probably credited to the wrong photographer
* ``people``: Profiles of the photographers of a library: traits, styles, sessions, similar photographers
* ``sessions``: Sessions of a photographer, and changes of features from one period to the next
* ``styles``: Styles of each photographer as clusters of their photos, and the similarity of two photographers
* ``traits``: Traits of a photographer: the features in which some photos differ most from others, in words
"""
