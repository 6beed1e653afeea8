"""Prediction by the trained photographer classifier.

Nothing here is fitted: ``workers.photographers.classifier`` does that and writes the files. Start reading at
``classifier``.
"""
