"""The photographer classifier: loading a trained one, and asking it.

It never learns; ``workers.photographers.classifier`` does.

Start with ``classifier``.

* ``classifier``: The trained classifier: loading, and prediction of a photo's photographer
* ``conformal``: Conformal sets of names: as many photographers as it takes to hold the right one with a stated coverage
* ``ensemble``: Ensemble of the photographer classifier: four parts, and three answers pooled from them
* ``familiarity``: Nearness of a photo to the training photos, whoever took them
* ``linear``: Linear discriminant analysis of the photographer classifier: scores of a fitted model
* ``model_files``: Files of a trained classifier: their names and format, and how they are read and checked
* ``pooling``: Calibrated pooling: one answer from several parts, by a weighted mean of their log-probabilities
* ``reasons``: Reasons of a prediction in words, from the SHAP values of the trees
* ``sets``: Verdict on several photos at once: all by one of ours, by nobody we know, or mixed
* ``threshold``: Threshold of the answer "unknown", which is lower for photos similar to the training photos
* ``trees``: Boosted trees of the photographer classifier: scores and SHAP values of a fitted CatBoost model
"""
