"""Plan a graph for a core: kernels, order of execution, arena."""

from tinyedge.plan.fit import check_fits, check_sizes
from tinyedge.plan.make import make_plan, plan_curve
from tinyedge.plan.verify import verify_plan

__all__ = ["check_fits", "check_sizes", "make_plan", "plan_curve", "verify_plan"]
