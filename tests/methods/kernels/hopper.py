"""Triton functions compiled for an NVIDIA H100 or H200, which needs no GPU."""

from __future__ import annotations

import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from adcli_methods.kernels.plan import Plan
from adcli_methods.kernels.triton_program import OPTIONS, triton_functions
from adcli_methods.kernels.triton_source import WHOLE, TritonSource

POINTERS = {"float64": "*fp64", "float32": "*fp32", "bool": "*i1", **dict.fromkeys(WHOLE, "*i64")}


def for_hopper(program, abstracts):
    """The PTX of each function of a Program, all of which became machine code."""
    source = TritonSource(Plan(program, abstracts))
    functions = triton_functions(source.text)
    found = {}
    for function in source.functions:
        kinds = {name: name if name in "SZ" else abstracts[int(name[1:])].dtype for name in function.arguments}
        signature = {name: {"S": "*fp64", "Z": "*i64"}.get(kind) or POINTERS[kind] for name, kind in kinds.items()}
        attributes = {(position,): [["tt.divisibility", 16]] for position in range(len(signature))}
        made = ASTSource(functions[function.name], signature=signature, constexprs={}, attrs=attributes)
        ready = triton.compile(made, target=GPUTarget("cuda", 90, 32), options=OPTIONS)
        assert ready.asm["cubin"].startswith(b"\x7fELF")
        found[function.name] = ready.asm["ptx"]
    return found
