"""Training of the photographer classifier: settings search, fitting, measurement, model files.

Whatever predicts is in ``search.photographers.classifier``. Start reading at ``train``.
"""
