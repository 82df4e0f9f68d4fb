"""What makes a run a failure."""

from __future__ import annotations

from tinyedge.artifacts import Measured
from tinyedge.errors import CheckError
from tinyedge.report.budgets import measured_lines, require_budget


def judge(measured: Measured) -> None:
    """Raise for what makes the run a failure: mismatches first, then the self-test, then the budget.

    Raises: CheckError
    """
    judge_outputs(measured)
    prepared = measured.built.prepared
    require_budget(measured_lines(measured), prepared.model.name, prepared.board.name)


def judge_outputs(measured: Measured) -> None:
    """The same without the budget."""
    result = measured.run
    first = result.first_mismatch
    if first is not None:
        where = "" if first.layer is None else f"; the first layer that differs is {first.layer} `{first.operator}`"
        place = f"byte {first.output_byte} of its features" if first.in_features else f"output byte {first.output_byte}"
        raise CheckError(
            f"{result.mismatches:,} of {result.samples:,} samples differ from {measured.reference_name}: the first is "
            f"sample {first.sample}, {place}{where}"
            + (f"\n       {result.selftest_failure}" if result.selftest_failure else ""),
            hint="this is a defect of a kernel: please report the model, the board and the compiler",
        )
    if result.selftest_failure:
        raise CheckError(
            f"{result.selftest_failure}: it does not compute what it was built to compute",
            hint="build with `--build-dir` in a new folder and run again; if it fails still, please report the model",
        )
