"""Pictures: pixels, camera raw files.

It never writes to the file it reads.

Start with ``picture``.

* ``handcrafted``: The 78 handcrafted features of a picture, as ``search.photographers.photos.features`` defines them
* ``camera_raw``: Decode raw files of cameras by their embedded preview; needs the optional package rawpy (LibRaw)
* ``geometry``: Crop, resize and shrink pictures and frames, as models and previews need them
* ``picture``: Decode pictures, whatever their names: upright, RGB, cropped for the image models
* ``pixel_modes``: Convert pictures of any pixel mode of Pillow to RGB
"""
