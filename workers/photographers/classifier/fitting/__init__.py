"""Fitting the parts of the classifier and pooling them.

It never predicts: ``search.photographers.classifier`` holds the classes that do, in modules of the same names.

Start with ``ensemble``.

* ``ensemble``: Fitting of the ensemble: its parts, and by cross-validation calibration and the rules of answers
* ``conformal``: Fitting of conformal sets on validation predictions, by shoot
* ``familiarity``: Fitting of the familiarity with the training photos
* ``file_facts``: Fitting of what the facts of file, clock and camera say
* ``linear``: Fitting of linear discriminant analysis, regularised for few photos and many columns
* ``pooling``: Fitting of the pool's weights on photos that the parts were not fitted to
* ``sets``: Fitting of the verdict on several photos, to sets drawn from validation photos with photographers left out
* ``shoots``: Fitting of whether a photo is of a known shoot, to validation photos of known and of new shoots
* ``splits``: Splits of a collection into training and test photos, with no group of photos on both sides
* ``threshold``: Fitting of the threshold of "unknown": most right answers given and most strangers refused
* ``trees``: Fitting of boosted trees: CatBoost on principal components of the vectors and the features
"""
