# SPDX-License-Identifier: Apache-2.0
"""Part of prepare.py, in a process of its own: reads request.json in the working folder, makes the
engine's file there and writes answer.json. What cannot be done is one line, the last of stderr."""
import json
import os
import subprocess
import sys

import graphdef
import prepare
from prepare import is_onnx


def main(peers_file):
    with open(peers_file) as file:
        tools = json.load(file)["tools"]
    with open("request.json") as file:
        request = json.load(file)
    request["peers"] = peers_file
    path = globals()["for_" + request["engine"]](request, tools)
    with open("answer.json", "w") as file:
        json.dump({"path": path}, file)


def for_onnxruntime(request, tools):
    return as_onnx(request)


def for_openvino(request, tools):
    import openvino
    if is_onnx(request["model"]) or request["options"]["reader"] == "tf2onnx":
        source = as_onnx(request)
    else:
        source = graphdef.write(request)
    model = openvino.Core().read_model(source)
    model = openvino.Model(
        [result_named(model, o["name"]) for o in request["outputs"]],
        [parameter_named(model, i["name"]) for i in request["inputs"]], "net")
    model.reshape({i["name"]: i["shape"] for i in request["inputs"]})
    openvino.save_model(model, "net.xml", compress_to_fp16=False)
    os.remove(source)
    return "net.xml"


def for_tensorflow(request, tools):
    return graphdef.write(request)


def for_xla(request, tools):
    import xla_aot
    return xla_aot.build(request, tools)


def for_iree(request, tools):
    source = as_onnx(request, graph_name="net")
    flags = request["options"]["flags"]
    try:
        compile_by_iree(source, [], flags, tools)
    except SystemExit as refused:
        # It knows some ops in their newer forms only.
        print(refused)
        compile_by_iree(source, ["--opset-version=17"], flags, tools)
    os.remove(source)
    os.remove("net.mlir")
    return "net.vmfb"


def compile_by_iree(source, import_flags, flags, tools):
    call(tools["iree-import-onnx"], source, "-o", "net.mlir", *import_flags)
    call(tools["iree-compile"], "net.mlir", "-o", "net.vmfb", *flags)


def for_tf2onnx(request, tools):
    """No engine, but what several start from."""
    import onnx
    source = graphdef.write(request)
    port = graphdef.port
    call(tools["tf2onnx-python"], "-m", "tf2onnx.convert", "--graphdef", source,
         "--inputs", ",".join(port(i["name"]) for i in request["inputs"]),
         "--outputs", ",".join(port(o["name"]) for o in request["outputs"]),
         "--output", "tf2onnx.onnx", environment={"TF_CPP_MIN_LOG_LEVEL": "2"})
    model = onnx.load("tf2onnx.onnx")
    # Its names end in the number of the node's output.
    names = {port(p["name"]): p["name"] for p in request["inputs"] + request["outputs"]}
    rename(model.graph, {old: new for old, new in names.items() if old != new})
    write_out_log1p(model.graph)
    onnx.save(model, "tf2onnx.onnx")
    os.remove(source)
    return "tf2onnx.onnx"


def shapes_fixed(request):
    return request["options"].get("shapes", "fixed") == "fixed"


def result_named(model, name):
    for output in model.outputs:
        if names_match(output.get_names(), name):
            result = output.get_node()
            break
    else:
        result = model.add_outputs(name)[0].get_node()
    result.output(0).get_tensor().set_names({name})
    return result


def parameter_named(model, name):
    for output in model.inputs:
        if names_match(output.get_names(), name):
            output.get_tensor().set_names({name})
            return output.get_node()
    refuse(f"the converted model has no input '{name}'")


def names_match(names, name):
    return name in names or f"{name}:0" in names


def as_onnx(request, graph_name=None):
    """An ONNX file with the inputs and outputs of the request, in its order and by its names."""
    import onnx
    fixed = shapes_fixed(request)
    source = request["model"]
    if not is_onnx(source):
        shapes = {"shapes": "fixed" if fixed else "free"}
        source = prepare.obtain(request["peers"],
                                request | {"engine": "tf2onnx", "options": shapes})
    model = onnx.load(source)
    graph = model.graph
    for input in request["inputs"]:
        value = find(graph.input, input["name"], "input")
        shape = input["shape"] if fixed else input["declared"]
        value.CopyFrom(typed_like(value, input["name"], shape))
    wanted = {o["name"]: o for o in request["outputs"]}
    known = {v.name: v for v in list(graph.output) + list(graph.value_info)}
    outputs = []
    for name, output in wanted.items():
        if name not in known:
            made = {n for node in graph.node for n in node.output}
            if name not in made:
                refuse(f"the model has no output '{name}'")
            outputs.append(onnx.helper.make_empty_tensor_value_info(name))
        else:
            outputs.append(typed_like(known[name], name, output["shape"] if fixed else None))
    del graph.output[:]
    graph.output.extend(outputs)
    if fixed:
        del graph.value_info[:]  # what was known of free shapes
    for name, text in request["constants"].items() if is_onnx(request["model"]) else ():
        fix_onnx_input(graph, name, text)
    if graph_name:
        graph.name = graph_name
    onnx.save(model, "net.onnx", save_as_external_data=False)
    return "net.onnx"


def typed_like(value, name, shape):
    import onnx
    if shape is None and value.type.tensor_type.HasField("shape"):
        kept = onnx.ValueInfoProto()
        kept.CopyFrom(value)
        return kept
    return onnx.helper.make_tensor_value_info(name, value.type.tensor_type.elem_type, shape)


def find(values, name, kind):
    for value in values:
        if value.name == name:
            return value
    refuse(f"the model has no {kind} '{name}'")


def fix_onnx_input(graph, name, text):
    import numpy
    import onnx
    value = find(graph.input, name, "input")
    dtype = onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)
    number = numpy.array(json.loads(text.lower()), dtype=dtype)
    shape = [d.dim_value for d in value.type.tensor_type.shape.dim]
    if number.ndim == 0 and all(shape):
        number = numpy.full(shape, number)
    graph.initializer.append(onnx.numpy_helper.from_array(number, name))
    graph.input.remove(value)


def rename(graph, names):
    for node in graph.node:
        node.input[:] = [names.get(n, n) for n in node.input]
        node.output[:] = [names.get(n, n) for n in node.output]
    for values in (graph.input, graph.output, graph.value_info, graph.initializer):
        for value in values:
            value.name = names.get(value.name, value.name)


def write_out_log1p(graph):
    """tf2onnx leaves TensorFlow's Log1p, which ONNX does not have; log(1 + x) is what its users put
    there."""
    import onnx
    nodes = []
    for node in graph.node:
        if node.op_type != "Log1p":
            nodes.append(node)
            continue
        one, sum = node.output[0] + "/one", node.output[0] + "/sum"
        graph.initializer.append(onnx.helper.make_tensor(one, onnx.TensorProto.FLOAT, [], [1.0]))
        nodes.append(onnx.helper.make_node("Add", [node.input[0], one], [sum]))
        nodes.append(onnx.helper.make_node("Log", [sum], list(node.output)))
    del graph.node[:]
    graph.node.extend(nodes)


def call(*command, environment=None):
    done = subprocess.run(command, env=os.environ | (environment or {}), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode == 0:
        return
    print(done.stdout)
    lines = [line.strip() for line in done.stdout.splitlines() if line.strip()]
    errors = [line for line in lines if "error:" in line or "Error" in line or "ERROR" in line]
    said = errors[0] if errors else lines[-1] if lines else f"exit status {done.returncode}"
    refuse(f"{os.path.basename(command[2] if command[1] == '-m' else command[0])}: {said}")


def refuse(reason):
    sys.exit(reason)


if __name__ == "__main__":
    main(sys.argv[1])
