"""The photographer classifier: loading a trained one, and asking it.

It never learns; ``workers.photographers.classifier`` does.

Start with ``classifier``.

* ``classifier``: The trained classifier: loading, and prediction of a photo's photographer
* ``conformal``: Conformal sets of names: as many photographers as it takes to hold the right one with a stated coverage
* ``ensemble``: Ensemble of the photographer classifier: its parts, and the answers pooled from them
* ``familiarity``: Nearness of a photo to the training photos, whoever took them
* ``file_facts``: What the facts of file, clock and camera say of a photographer; an absent fact says nothing
* ``linear``: Linear discriminant analysis of the photographer classifier: scores of a fitted model
* ``model_files``: Files of a trained classifier: their names and format, and how they are read and checked
* ``pooling``: Calibrated pooling: one answer from several parts, by a weighted mean of their log-probabilities
* ``reasons``: Reasons of a prediction in words: how much less likely the name would be, were one thing not known
* ``sets``: Verdict on several photos at once: all by one of ours, by nobody we know, or mixed
* ``shoots``: Whether a photo is of a shoot that was learnt from, by how near it comes to the training photos
* ``threshold``: Threshold of the answer "unknown", which is lower for photos similar to the training photos
* ``trees``: Boosted trees over features and embedding: an answer beside the ensemble's, and apart from it
"""
