"""API calls that predict photographers of several photos.

A single photo is asked about in ``web.api.photographers``.

* ``evidence``: API call that writes the evidence of predictions as one HTML file
* ``many``: API call that predicts the photographers of several stored photos, or of a folder, and judges them together
* ``sets``: API call that judges several photos at once: all by one of ours, by nobody we know, or mixed
* ``table``: Predictions as a table: the CSV that the command writes and the page offers
"""
