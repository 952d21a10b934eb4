"""Generators: models that learn which candidates have which properties, and sample candidates from wanted ranges."""

from invdesign.generators.formulas import FormulaGenerator
from invdesign.generators.molecules import MoleculeGenerator
from invdesign.generators.quality import Quality, assessed, fitted_judge

__all__ = ["FormulaGenerator", "MoleculeGenerator", "Quality", "assessed", "fitted_judge"]
