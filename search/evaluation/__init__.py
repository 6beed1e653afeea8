"""Quality of the answers of a library, measured on labelled media.

Each space alone (``spaces``), the fused list as people see it (``fused``), the reliability of likeness
(``reliability``) and words (``words``). Start with ``evaluate``; ``statistics`` holds what is computed of any
measurement, and imports nothing of the others."""
