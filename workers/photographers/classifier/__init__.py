"""Training of the photographer classifier: fitting, search for settings, measurement, report."""
