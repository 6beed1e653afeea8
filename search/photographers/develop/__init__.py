"""How photos are developed: twelve settings, the change from one photo's to a photographer's, and its colours.

It never opens a picture: ``workers.photographers.develop`` renders. Start with ``developing``.

* ``colours``: What settings of development do to colours: exact maths, and the curves behind it
* ``developing``: From a photo and a photographer to the settings that develop the one like the other
* ``lut``: Settings as a 3-D look-up table in the format ``.cube``
* ``reading``: Read settings of development from vectors of the ``style`` space
* ``settings``: The twelve settings of developing a photo: what they mean, their ranges, and their arithmetic
* ``words``: Changes of settings in an editor's words
* ``xmp``: Settings as a preset of Lightroom and Camera Raw
"""
