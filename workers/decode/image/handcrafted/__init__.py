"""The 78 handcrafted features of a picture, as ``search.photographers.photos.features`` defines them.

Families of features are modules of their own; ``measure`` combines them and is the one to read first. The functions
take pictures as uint8 arrays, and their docstrings give the value for pictures without the feature (an all black one,
say).
"""
