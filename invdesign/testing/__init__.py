"""Contract tests that third-party classes can run, as scikit-learn's ``check_estimator``; they need no pytest.

They raise AssertionError with what a class does not keep to.
"""

from invdesign.testing.executor import check_executor
from invdesign.testing.objective import check_objective
from invdesign.testing.optimizer import check_optimizer
from invdesign.testing.surrogate import check_surrogate

__all__ = ["check_executor", "check_objective", "check_optimizer", "check_surrogate"]
