# SPDX-License-Identifier: Apache-2.0
"""A SavedModel without what nobody needs to run it: training, saving, traces of Python."""

import json
import shutil

from tensorflow.core.protobuf import saved_model_pb2

HINTS = ("_output_shapes", "_construction_context", "_input_shapes", "config_proto", "config",
         "executor_type", "_collective_manager_ids", "_read_only_resource_inputs", "_num_original_outputs",
         "_lower_using_switch_merge", "_stateful_parallelism", "_user_specified_name", "_class",
         "_XlaMustCompile", "_disable_acd")


def callees(node):
    for value in node.attr.values():
        if value.HasField("func"):
            yield value.func.name
        for function in value.list.func:
            yield function.name


def strip_nodes(nodes):
    for node in nodes:
        node.ClearField("experimental_debug_info")
        node.ClearField("experimental_type")
        for hint in HINTS:
            node.attr.pop(hint, None)


def strip(folder):
    path = folder / "saved_model.pb"
    model = saved_model_pb2.SavedModel()
    model.ParseFromString(path.read_bytes())
    meta = model.meta_graphs[0]
    for field in ("saver_def", "collection_def", "asset_file_def"):
        meta.ClearField(field)
    meta.signature_def.pop("__saved_model_init_op", None)
    meta.meta_info_def.ClearField("function_aliases")
    # Nodes that signatures need, and functions that these need.
    graph = meta.graph_def
    by_name = {node.name: node for node in graph.node}
    open_ = [info.name.split(":")[0] for signature in meta.signature_def.values()
             for info in [*signature.inputs.values(), *signature.outputs.values()]]
    needed = set()
    while open_:
        name = open_.pop().lstrip("^").split(":")[0]
        if name in by_name and name not in needed:
            needed.add(name)
            open_ += by_name[name].input
    kept = [node for node in graph.node if node.name in needed]
    functions = {f.signature.name: f for f in graph.library.function}
    used, open_ = set(), [name for node in kept for name in callees(node)]
    while open_:
        name = open_.pop()
        if name in functions and name not in used:
            used.add(name)
            open_ += [callee for node in functions[name].node_def for callee in callees(node)]
    ops = {node.op for node in kept}
    for name in used:
        ops |= {node.op for node in functions[name].node_def}
    graph.ClearField("node")
    graph.node.extend(kept)
    library = [functions[name] for name in sorted(used)]
    graph.ClearField("library")
    graph.library.function.extend(library)
    strip_nodes(graph.node)
    for function in graph.library.function:
        strip_nodes(function.node_def)
        function.ClearField("arg_attr")
        function.ClearField("resource_arg_unique_id")
        for attribute in list(function.attr):
            del function.attr[attribute]
    listed = [op for op in meta.meta_info_def.stripped_op_list.op if op.name in ops]
    for op in listed:
        op.ClearField("summary")
        op.ClearField("description")
        for attribute in op.attr:
            attribute.ClearField("allowed_values")
            attribute.ClearField("description")
    meta.meta_info_def.ClearField("stripped_op_list")
    meta.meta_info_def.stripped_op_list.op.extend(listed)
    # The numbers of objects say where variables are.
    objects = meta.object_graph_def
    for node in objects.nodes:
        if node.HasField("variable"):
            node.ClearField("children")
        else:
            node.Clear()
    for name in list(objects.concrete_functions):
        if name not in used:
            del objects.concrete_functions[name]
        else:
            objects.concrete_functions[name].ClearField("canonicalized_input_signature")
            objects.concrete_functions[name].ClearField("output_signature")
    path.write_bytes(model.SerializeToString(deterministic=True))
    (folder / "fingerprint.pb").unlink(missing_ok=True)
    (folder / "keras_metadata.pb").unlink(missing_ok=True)
    shutil.rmtree(folder / "assets", ignore_errors=True)


def keep(folder, target, most_bytes=6000):
    """A copy of a case, stripped, with its smaller data sets."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(folder, target)
    strip(target / "model")
    what = json.loads((target / "model.json").read_text())
    small = []
    for data in what["data_sets"]:
        files = list((target / data["folder"]).iterdir())
        if sum(file.stat().st_size for file in files) <= most_bytes or not small:
            small.append(data)
        else:
            shutil.rmtree(target / data["folder"])
    what["data_sets"] = small
    (target / "model.json").write_text(json.dumps(what, indent=1) + "\n")
