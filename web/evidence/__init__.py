"""Evidence of predictions: one HTML file that holds all it shows, for people who keep, print or pass it on.

It never predicts; ``web.api.prediction`` does.

* ``document``: Write predictions, previews, digests and versions as one HTML file
"""
