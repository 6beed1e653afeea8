"""Render photos with settings of development, and learn to read those settings from stored vectors.

It never decides which settings: ``search.photographers.develop`` does.

* ``preview``: Developed previews of photos: their WebP previews, decoded in a child process, rendered, encoded
* ``render``: Develop a picture by a preset, whole or in bands of rows, so that a large one takes no more memory
* ``train``: Train the shipped reader of settings
"""
