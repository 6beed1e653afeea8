"""The 78 handcrafted features of a picture, as ``search.photographers.photos.features`` defines them.

Families of features lie in modules of their own; ``measure`` brings them together. Every function here takes pictures
as ``uint8`` arrays and tells what stands for a value that a picture does not have (one that is all black, say).
"""
