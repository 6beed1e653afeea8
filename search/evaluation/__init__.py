"""How good the answers of a library are, measured on labelled media: each space alone (``spaces``), the fused list as
people see it (``fused``), what likeness promises (``reliability``) and words (``words``). Start with ``evaluate``;
``statistics`` holds what is computed of any measurement."""
