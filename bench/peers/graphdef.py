# SPDX-License-Identifier: Apache-2.0
"""Part of prepare.py: a frozen GraphDef cut to what is asked for, its shapes and switches fixed."""
import importlib.util
import json
import sys
import types

import numpy


def messages():
    """TensorFlow's protobuf messages without TensorFlow, which takes seconds to import."""
    if "tensorflow" not in sys.modules:
        package = types.ModuleType("tensorflow")
        package.__path__ = importlib.util.find_spec("tensorflow").submodule_search_locations
        sys.modules["tensorflow"] = package
    from tensorflow.core.framework import graph_pb2
    return graph_pb2


def port(name):
    return name if ":" in name else f"{name}:0"


def node_of(name):
    """Of an output, or of what a node lists as its input."""
    return name.lstrip("^").rsplit(":", 1)[0] if ":" in name else name.lstrip("^")


def load(request):
    graph = messages().GraphDef()
    with open(request["model"], "rb") as file:
        try:
            graph.ParseFromString(file.read())
        except Exception as error:
            sys.exit(f"cannot be read as a GraphDef: {error}")
    inputs = {node_of(i["name"]): i for i in request["inputs"]}
    constants = {node_of(name): text for name, text in request["constants"].items()}
    keep_needed(graph, inputs, [node_of(o["name"]) for o in request["outputs"]])
    fixed = request["options"].get("shapes", "fixed") == "fixed"
    for node in graph.node:
        node.device = ""
        if node.name in inputs:
            set_shape(node, inputs[node.name], fixed)
        elif node.name in constants:
            make_constant(node, constants[node.name])
    return graph


def write(request, path="net.pb"):
    with open(path, "wb") as file:
        file.write(load(request).SerializeToString())
    return path


def keep_needed(graph, inputs, outputs):
    by_name = {node.name: node for node in graph.node}
    needed, open_names = set(), [*outputs, *inputs]
    while open_names:
        name = open_names.pop()
        if name in needed:
            continue
        if name not in by_name:
            sys.exit(f"the graph has no node '{name}'")
        needed.add(name)
        if name not in inputs:
            open_names += map(node_of, by_name[name].input)
    kept = [node for node in graph.node if node.name in needed]
    copies = [type(node).FromString(node.SerializeToString()) for node in kept]
    del graph.node[:]
    graph.node.extend(copies)


def set_shape(node, input, fixed):
    if node.op not in ("Placeholder", "PlaceholderV2", "PlaceholderWithDefault"):
        sys.exit(f"'{node.name}' is no placeholder of the graph")
    node.op = "Placeholder"
    del node.input[:]
    shape = node.attr["shape"].shape
    shape.Clear()
    for size in input["shape" if fixed else "declared"]:
        shape.dim.add(size=size if isinstance(size, int) else -1)


def make_constant(node, text):
    """Of a number or a list, as ONNX's and numpy's element types that TensorFlow shares."""
    dtype = node.attr["dtype"].type
    value = numpy.array(json.loads(text.lower()), dtype=NUMPY[dtype])
    sizes = [d.size for d in node.attr["shape"].shape.dim]
    if value.ndim == 0 and all(size >= 0 for size in sizes):
        value = numpy.full(sizes, value)
    node.op = "Const"
    del node.input[:]
    node.attr.clear()
    node.attr["dtype"].type = dtype
    tensor = node.attr["value"].tensor
    tensor.dtype = dtype
    for size in value.shape:
        tensor.tensor_shape.dim.add(size=size)
    tensor.tensor_content = value.tobytes()


# By tensorflow.DataType.
NUMPY = {1: numpy.float32, 2: numpy.float64, 3: numpy.int32, 4: numpy.uint8, 5: numpy.int16,
         6: numpy.int8, 9: numpy.int64, 10: numpy.bool_, 17: numpy.uint16, 19: numpy.float16,
         22: numpy.uint32, 23: numpy.uint64}
