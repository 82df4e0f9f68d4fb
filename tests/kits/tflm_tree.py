"""Source trees of TensorFlow Lite Micro: the real one that TINYEDGE_TFLM names, and small ones made by hand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SKIP = (
    "needs a source tree of TensorFlow Lite Micro: make one with its create_tflm_tree.py (docs/tflm.md) and set "
    "TINYEDGE_TFLM to it"
)


def real_tree() -> Path:
    """The folder TINYEDGE_TFLM names; the test is skipped without one."""
    named = os.environ.get("TINYEDGE_TFLM", "")
    if not named:
        pytest.skip(SKIP)
    return Path(named)


FILES = {
    "tensorflow/lite/micro/micro_mutable_op_resolver.h": """
        #include "tensorflow/lite/micro/kernels/conv.h"
        TFLMRegistration x;
        """,
    "tensorflow/lite/micro/debug_log.h": "void DebugLog(const char* format, va_list args);",
    "tensorflow/lite/micro/debug_log.cc": "// the platform's, left out",
    "tensorflow/lite/micro/micro_log.cc": '#include "tensorflow/lite/micro/debug_log.h"',
    "tensorflow/lite/micro/micro_interpreter.cc": '#include "tensorflow/lite/micro/micro_allocator.h"',
    "tensorflow/lite/micro/micro_allocator.h": '#include "flatbuffers/flatbuffers.h"',
    "tensorflow/lite/micro/micro_allocator.cc": '#include "tensorflow/lite/micro/micro_allocator.h"',
    "tensorflow/lite/micro/test_helpers.cc": '#include "tensorflow/lite/micro/micro_allocator.h"',
    "tensorflow/lite/micro/kernels/conv.h": """
        TFLMRegistration Register_CONV_2D();
        inline TFLMRegistration Register_CONV_2D_INT8() { return Register_CONV_2D(); }
        """,
    "tensorflow/lite/micro/kernels/conv.cc": """
        #include "tensorflow/lite/micro/kernels/conv.h"
        TFLMRegistration Register_CONV_2D() {}
        """,
    "tensorflow/lite/micro/kernels/conv_common.cc": '#include "tensorflow/lite/micro/kernels/conv.h"',
    "tensorflow/lite/micro/kernels/softmax.cc": "TFLMRegistration Register_SOFTMAX() {}",
    "tensorflow/lite/kernels/kernel_util.cc": "static_cast<double>(input->params.scale) * filter->params.scale",
    "tensorflow/lite/schema/schema_generated.h": "FLATBUFFERS_VERSION_MAJOR == 25",
    "third_party/flatbuffers/include/flatbuffers/flatbuffers.h": '#include "flatbuffers/base.h"',
    "third_party/flatbuffers/include/flatbuffers/base.h": """
        #define FLATBUFFERS_VERSION_MAJOR 25
        #define FLATBUFFERS_VERSION_MINOR 9
        #define FLATBUFFERS_VERSION_REVISION 23
        """,
    "third_party/gemmlowp/fixedpoint/fixedpoint.h": "",
    "third_party/ruy/ruy/profiler/instrumentation.h": "",
}
"""a tree with the reference kernels, as far as tinyedge looks at one"""

CMSIS_FILES = {
    "tensorflow/lite/micro/kernels/cmsis_nn/conv.cc": """
        #include "tensorflow/lite/micro/kernels/conv.h"
        #include "Include/arm_nnfunctions.h"
        TFLMRegistration Register_CONV_2D() { arm_convolve_s8(); }
        TFLMRegistration Register_CONV_2D_INT8() { arm_convolve_s8(); }
        """,
    "third_party/cmsis_nn/Include/arm_nnfunctions.h": '#include "cmsis_compiler.h"',
    "third_party/cmsis_nn/Source/Conv/arm_convolve_s8.c": """
#include "Include/arm_nnfunctions.h"
/* arm_unused() is named in a comment at the start of a line
 */
int arm_convolve_s8(void) {
  return arm_help[0];
}
""",
    "third_party/cmsis_nn/Source/Support/arm_help_table.c": "const int arm_help[1] = {0};\n",
    "third_party/cmsis_nn/Source/Support/arm_unused.c": "int arm_unused(void) { return 0; }\n",
    "third_party/cmsis/CMSIS/Core/Include/cmsis_compiler.h": "",
}
"""what a tree with CMSIS-NN has beside or instead of that"""


def make_tree(folder: Path, *, cmsis: bool = False, without: str = "", **replaced: str) -> Path:
    """Write a tree; `without` leaves out what starts so, `replaced` maps a file's stem to another content."""
    files = {**FILES, **(CMSIS_FILES if cmsis else {})}
    if cmsis:
        del files["tensorflow/lite/micro/kernels/conv.cc"]
    for name, content in files.items():
        if without and name.startswith(without):
            continue
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(replaced.get(path.stem, content))
    return folder
