"""Plan a graph for a core: kernels, order of execution, arena."""

from tinyedge.plan.fit import check_fits, check_sizes
from tinyedge.plan.make import PlansOf, make_plan, plan_curve
from tinyedge.plan.verify import verify_plan

__all__ = ["PlansOf", "check_fits", "check_sizes", "make_plan", "plan_curve", "verify_plan"]
