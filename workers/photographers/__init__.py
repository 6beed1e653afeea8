"""Learning about photographers: classifier, joint model, and the benchmark with invented photographers.

It never answers questions about a library; ``search.photographers`` does.

Start with ``classifier.train``.

* ``benchmark``: The preset benchmark: invented photographers, so that the truth is known
* ``classifier``: Training the photographer classifier, and measuring what it is worth
* ``develop``: Render photos with settings of development, and learn to read those settings from stored vectors
* ``joint``: The joint model of photos and photographers: an image code, and one learnt vector per photographer
"""
