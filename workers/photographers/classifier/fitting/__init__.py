"""Fitting of the classifier's parts; ``search.photographers.classifier`` holds what predicts, by the same names."""
