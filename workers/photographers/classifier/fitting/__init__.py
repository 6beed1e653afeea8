"""Fitting of the classifier's parts.

Each module fits what its namesake in ``search.photographers.classifier`` predicts with. Start reading at ``ensemble``.
"""
