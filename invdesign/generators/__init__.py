"""Generators: models that learn which candidates have which properties, and sample candidates from wanted ranges."""

from invdesign.generators.formulas import FormulaGenerator
from invdesign.generators.molecules import MoleculeGenerator
from invdesign.generators.quality import Quality, assessed, fitted_judge
from invdesign.generators.training_table import TrainingTable

__all__ = ["FormulaGenerator", "MoleculeGenerator", "Quality", "TrainingTable", "assessed", "fitted_judge"]
