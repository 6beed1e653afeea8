"""Training of the photographer classifier: settings search, fitting, measurement and the model's files.

Whatever predicts is in ``search.photographers.classifier``. Start reading at ``train``.
"""
