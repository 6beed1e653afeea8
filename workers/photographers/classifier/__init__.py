"""Training the photographer classifier, and measuring what it is worth.

It never answers for a stored photo; ``search.photographers.classifier`` does.

Start with ``train``.

* ``fitting``: Fitting the parts of the classifier and pooling them
* ``baselines``: Baselines that the classifier is measured against, each fitted and tested on the same folds
* ``leakage_checks``: Checks for leaks: whether the figures of a report can be believed
* ``measure``: Measurement of a classifier on folds that keep groups together, and of baselines on the same folds
* ``model_writer``: Writing of a trained classifier's files
* ``options``: Options of a training of the photographer classifier
* ``progress``: Progress of a training, and the request to stop it
* ``scores``: Statistics of predictions for the group bootstrap: accuracy, macro F1, calibration error, AUROC
* ``train``: Training of the photographer classifier from credited photos
* ``training_set``: Training set of the classifier: photographers with enough photos, and the groups of these photos
"""
