# The names of the package; lazy_loader reads them here (SPEC 1), and so do type checkers.

from .formulas import FormulaGenerator
from .molecules import MoleculeGenerator
from .quality import Quality, assessed, fitted_judge
from .training_table import TrainingTable

__all__ = ["FormulaGenerator", "MoleculeGenerator", "Quality", "TrainingTable", "assessed", "fitted_judge"]
