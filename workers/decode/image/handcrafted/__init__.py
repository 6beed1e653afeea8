"""The 78 handcrafted features of a picture, as ``search.photographers.photos.features`` defines them.

Families of features are modules of their own; ``measure`` combines them and is the one to read first. The functions
take pictures as uint8 arrays, and their docstrings give the value for pictures without the feature (an all black one,
say).

* ``color``: Features of the colours, independent of their position
* ``composition``: Features of composition, from coarse maps of brightness, edges and detail
* ``measure``: Measure all features of one picture, from its pixels and its file, in the stored order
* ``pixels``: Arrays of one picture that several features share, computed once
* ``shot``: Features of the time and the camera settings of a picture, from its EXIF tags where these exist
* ``texture``: Features of fine structure: edges, corners, sharpness, noise, blur
* ``tone``: Features of the gray levels, independent of position: brightness, contrast and exposure
"""
