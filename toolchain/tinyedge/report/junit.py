"""JUnit XML, which every CI server shows: one test case for each promise a run has to keep."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tinyedge.artifacts import Measured


@dataclass(frozen=True)
class Case:
    """One promise; `failure` is empty when it was kept, `skipped` when it could be tested."""

    name: str
    failure: str = ""
    skipped: str = ""


def run_cases(measured: Measured) -> tuple[Case, ...]:
    """The promises of a run: outputs, accuracy, flash, RAM, self-test."""
    run, model, size = measured.run, measured.built.prepared.model, measured.built.image.size
    first = run.first_mismatch
    mismatch = ""
    if run.mismatches:
        mismatch = f"{run.mismatches:,} of {run.samples:,} samples differ from {measured.reference_name}"
        if first is not None:
            mismatch += f"; the first is sample {first.sample}, output byte {first.output_byte}"
            if first.layer is not None:
                mismatch += f", in layer {first.layer} {first.operator}"
    cases = [Case(f"every output byte equals {measured.reference_owner}", mismatch)]
    promise = "accuracy on the device equals the int8 model's"
    whole = is_whole(measured)
    cases.append(_accuracy_case(promise, run.device_accuracy, model.int8_accuracy, whole))
    for head in model.further_labels:
        found = run.further_accuracies.get(head.name)
        cases.append(_accuracy_case(f"{promise}: `{head.name}`", found, head.int8_accuracy, whole))
    for name, used, limit in (
        ("flash", size.flash_bytes, size.flash_limit_bytes),
        ("RAM", size.ram_bytes, size.ram_limit_bytes),
    ):
        over = f"{used:,} B of {name} needed, {limit:,} B there" if limit and used > limit else ""
        cases.append(Case(f"fits the {name} of the board", over, "" if limit else "the board has no limit"))
    cases.append(Case("the firmware passes its self-test", run.selftest_failure))
    return tuple(cases)


def is_whole(measured: Measured) -> bool:
    """Whether a run took the whole test set of the model, so that accuracies can be compared."""
    model = measured.built.prepared.model
    own = not measured.samples.source and model.samples is not None
    return own and model.samples is not None and measured.run.samples == len(model.samples[0])


def _accuracy_case(name: str, device: float | None, int8: float | None, whole: bool) -> Case:
    """Whether one output has the same accuracy; `whole`: over the whole test set."""
    if device is None or int8 is None:
        return Case(name, skipped="no labelled samples")
    if not whole:
        return Case(name, skipped="not the whole test set")
    differ = abs(device - int8) > 1e-6
    return Case(name, f"accuracy on the device is {device:.4f}, of the int8 model {int8:.4f}" if differ else "")


def junit_xml(suite: str, cases: Sequence[Case], properties: Mapping[str, str] | None = None) -> str:
    """One test suite as a document. Holds no time, so that equal runs give equal bytes.

    properties  what else is said of the suite, by name
    """
    failures = sum(bool(case.failure) for case in cases)
    skipped = sum(bool(case.skipped) for case in cases)
    counts = {"tests": f"{len(cases)}", "failures": f"{failures}", "errors": "0"}
    root = ET.Element("testsuites", counts)
    parent = ET.SubElement(root, "testsuite", {"name": suite, **counts, "skipped": f"{skipped}"})
    if properties:
        told = ET.SubElement(parent, "properties")
        for name, value in properties.items():
            ET.SubElement(told, "property", {"name": name, "value": value})
    for case in cases:
        element = ET.SubElement(parent, "testcase", {"classname": suite, "name": case.name})
        if case.failure:
            ET.SubElement(element, "failure", {"message": case.failure})
        elif case.skipped:
            ET.SubElement(element, "skipped", {"message": case.skipped})
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def run_junit(measured: Measured, further: Sequence[Case] = ()) -> str:
    """The promises of a run, and `further` ones (budgets, say), as a document; `made_up_data` is a property of it."""
    prepared = measured.built.prepared
    suite = f"tinyedge.{prepared.model.name}.{prepared.board.name}"
    made_up = prepared.model.made_up
    return junit_xml(suite, (*run_cases(measured), *further), {"made_up_data": made_up} if made_up else None)
