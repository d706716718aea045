"""ONNX graphs, written node by node."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray
from torch import Tensor, nn

from facemt_analysis.errors import OptionError
from facemt_analysis.network.engines.session import optional_module

__all__ = ["Graph"]

# LayerNormalization since 17, the sum's axes as an input since 18, Gelu since 20 (2023).
_OPSET, _IR = 20, 9
_LARGEST = 2**31 - 2**20  # bytes: what Protocol Buffers hold, less room for the nodes


class Graph:
    """An ONNX graph of float32 tensors that grows by :meth:`op`.

    Parameters
    ----------
    shape
        Of the one input, ``"x"``; names stand for sizes that may differ between calls.

    Raises
    ------
    OptionError
        The package `onnx` is not installed.
    """

    def __init__(self, shape: Sequence[int | str]) -> None:
        self._onnx = optional_module("onnx")
        self._shape = list(shape)
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._size = 0
        self._number = itertools.count()

    def op(self, kind: str, *inputs: str | Tensor | NDArray[Any], **attributes: object) -> str:
        """Add a node and give the name of its output.

        Parameters
        ----------
        kind
            ONNX operator.
        *inputs
            Names of other outputs (or ``""`` for one left out), and constants.
        **attributes
            Of the operator.
        """
        names = [value if isinstance(value, str) else self._constant(value) for value in inputs]
        output = f"{kind}_{next(self._number)}"
        self._nodes.append(self._onnx.helper.make_node(kind, names, [output], **attributes))
        return output

    def convolution(
        self,
        x: str,
        weight: Tensor,
        bias: Tensor | None,
        *,
        stride: int = 1,
        padding: int = 0,
        groups: int = 1,
    ) -> str:
        """Add a convolution over maps (n, C, h, w), padded alike on all sides."""
        inputs = (x, weight) if bias is None else (x, weight, bias)
        return self.op("Conv", *inputs, strides=[stride] * 2, pads=[padding] * 4, group=groups)

    def sequence(self, x: str, *modules: nn.Module) -> str:
        """Add convolutions with the ReLU between them; modules that pass all on are left out."""
        for module in modules:
            if isinstance(module, nn.Sequential):
                x = self.sequence(x, *module)
            elif isinstance(module, nn.Conv2d):
                x = self.convolution(
                    x,
                    module.weight,
                    module.bias,
                    stride=module.stride[0],
                    padding=int(module.padding[0]),
                    groups=module.groups,
                )
            elif isinstance(module, nn.ReLU):
                x = self.op("Relu", x)
            elif not isinstance(module, nn.Identity):
                raise TypeError(f"{type(module).__name__} has no form as a graph.")
        return x

    def model(self, outputs: Mapping[str, int]) -> bytes:
        """Give the graph as an ONNX file's content.

        Parameters
        ----------
        outputs
            Names, in order, and their numbers of dimensions.

        Raises
        ------
        OptionError
            The constants exceed the 2 GiB that such a file can hold.
        """
        if self._size > _LARGEST:
            raise OptionError(
                "An ONNX model holds 2 GiB at most, but these weights take "
                f"{self._size / 2**30:.1f} GiB: pass engine='torch'."
            )
        helper, kind = self._onnx.helper, self._onnx.TensorProto.FLOAT
        graph = helper.make_graph(
            self._nodes,
            "network",
            [helper.make_tensor_value_info("x", kind, self._shape)],
            [helper.make_tensor_value_info(n, kind, [None] * ndim) for n, ndim in outputs.items()],
            self._constants,
        )
        opsets = [helper.make_opsetid("", _OPSET)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=_IR)
        return bytes(model.SerializeToString())

    def _constant(self, value: Tensor | NDArray[Any]) -> str:
        name = f"constant_{next(self._number)}"
        array = value.detach().cpu().numpy() if isinstance(value, Tensor) else value
        self._size += array.nbytes
        if self._size <= _LARGEST:  # else `model` will say so
            self._constants.append(self._onnx.numpy_helper.from_array(array, name))
        return name
