"""What sets photographers apart: traits, styles, shoots, drift, doubtful credits, maps.

It needs no trained model.

Start with ``people``.

* ``charts``: Maps of photographers by the mean vectors of their photos, without training
* ``comparison``: Two photographers beside each other: what tells them apart, what is alike, who is taken for whom
* ``drift``: Changes of style: the moment since which somebody's photos differ from those before
* ``kept_profiles``: Styles of all photographers in one view, kept in a file until photos change
* ``miscredits``: Photos that are probably credited to the wrong photographer
* ``people``: Profiles of the photographers of a library: traits, styles, shoots, similar photographers
* ``periods``: Periods of a photographer's work, and changes of features from one to the next
* ``shoots``: Shoots of a photographer, with their names
* ``styles``: Styles of each photographer as clusters of their photos, and the similarity of two photographers
* ``timeline``: Style and shoots of a photographer on one time axis, and the change of style
* ``traits``: Traits of a photographer: the features in which some photos differ most from others, in words
"""
