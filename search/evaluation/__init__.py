"""How good the answers of a library are, measured on labelled media: each space alone (``spaces``), the fused list as
people see it (``fused``), what likeness promises (``reliability``) and words (``words``). Start with ``evaluate``."""

from search.evaluation.evaluate import Evaluation, evaluate
from search.evaluation.spaces import SpaceEvaluation, average_precision

__all__ = ["Evaluation", "SpaceEvaluation", "average_precision", "evaluate"]
