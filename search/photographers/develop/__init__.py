"""How photos are developed: twelve settings, the change from one photo's to a photographer's, and its colours.

It never opens a picture: ``workers.photographers.develop`` renders.

* ``colours``: What settings of development do to colours: exact maths, and the curves behind it
* ``settings``: The twelve settings of developing a photo: what they mean, their ranges, and their arithmetic
"""
