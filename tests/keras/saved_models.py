# SPDX-License-Identifier: Apache-2.0
"""Writes small SavedModels as Keras 3, Keras 2 and TensorFlow do, with what TensorFlow answers, and
checks each with `ingot verify`. Prints a table; the status is 1 if one fails.

    python saved_models.py FOLDER --ingot INGOT [--only REGEX] [--again] [--write-only]
    python saved_models.py FOLDER --again --write-only --keep tests/keras/kept

The second writes those that the tests need, without what only training and saving need.
"""

import argparse
import collections
import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import keras
import numpy as np
import tensorflow as tf
import tf_keras
from tensorflow.core.protobuf import saved_model_pb2

from keras_models import EXPORT, KERAS2, MODELS, SAVE
from module_models import MODULES, Module
from reference import by_number, seed_of, write_case
from strip import keep

# What the tests have of all: a file or two of each kind of export, loops and branches of each kind.
KEPT = """dense-keras2 float64-export truths-export conv2d_dilated-export layer_norm-keras2
simple_rnn-export masked_attention-keras2 preprocessing-export
lambda_boolean_mask-export keras_ops-export array_loop-module array_loop_backwards-module map_and_fold-module
loops_within-module while_array-module while_break-module if_several-module case_data-module
while_in_if-module if_in_while-module segments-module space_to_batch-module""".split()

SOURCES = {EXPORT: f"Keras {keras.__version__}, model.export",
           SAVE: f"Keras {keras.__version__}, tf.saved_model.save",
           KERAS2: f"tf_keras {tf_keras.__version__}, model.save"}


def build_keras(name, way, build, inputs, policy):
    package = tf_keras if way == KERAS2 else keras
    package.backend.clear_session()
    package.utils.set_random_seed(seed_of(name) % 2**31)
    package.mixed_precision.set_global_policy(policy or "float32")
    given = [package.Input(each.free()[1:], name=name, dtype=each.dtype)
             for name, each in inputs.items()]
    model = package.Model(given if len(given) > 1 else given[0], build(package, *given))
    # Zeros and ones, which layers begin with, hide what is swapped or left out.
    random = np.random.default_rng(seed_of(name))
    for weight in model.weights:
        value = np.asarray(weight)
        path = getattr(weight, "path", weight.name)
        if value.dtype.kind != "f" or "normalization" in path and "count" in path:
            continue
        if "variance" in path:
            weight.assign(random.uniform(0.5, 1.5, value.shape).astype(value.dtype))
        elif value.ndim < 2 and not path.endswith("kernel"):
            weight.assign(value + random.normal(0, 0.1, value.shape).astype(value.dtype))
    return model


def save(model, way, folder):
    if way == EXPORT:
        model.export(folder, verbose=False)
    elif way == SAVE:
        tf.saved_model.save(model, folder)
    else:
        model.save(folder, save_format="tf")


def ops_of(folder):
    """What a SavedModel consists of, without what only hands on."""
    saved = saved_model_pb2.SavedModel()
    saved.ParseFromString((folder / "saved_model.pb").read_bytes())
    graph = saved.meta_graphs[0].graph_def
    functions = {f.signature.name: f for f in graph.library.function}
    seen, ops = set(), collections.Counter()
    signature = saved.meta_graphs[0].signature_def["serving_default"]
    nodes = {node.name: node for node in graph.node}
    open_ = [nodes[info.name.split(":")[0]] for info in signature.outputs.values()]
    while open_:
        node = open_.pop()
        callees = [value.func.name for value in node.attr.values() if value.HasField("func")]
        callees += [f.name for value in node.attr.values() for f in value.list.func]
        for callee in callees:
            if callee in functions and callee not in seen:
                seen.add(callee)
                open_ += functions[callee].node_def
        if not callees or node.op in ("If", "StatelessIf", "While", "StatelessWhile", "Case", "StatelessCase"):
            ops[node.op.removeprefix("Stateless")] += 1
    for dull in "Const Identity NoOp Placeholder ReadVariableOp IdentityN VarHandleOp Shape Pack StridedSlice".split():
        ops.pop(dull, None)
    return sorted(ops, key=lambda op: (-ops[op], op))


def write(folder, way, build, dims, inputs, policy):
    name = folder.name
    model_folder = folder / "model"
    if way is None:
        module = Module(build, inputs)
        tf.saved_model.save(module, model_folder, signatures={"serving_default": module.signature})
        source = "tf.Module"
    else:
        save(build_keras(name, way, build, inputs, policy), way, model_folder)
        source = SOURCES[way]
    loaded = tf.saved_model.load(model_folder)
    signature = loaded.signatures["serving_default"]
    # tf.saved_model.save of a Keras 3 model names inputs by their numbers.
    named = signature.structured_input_signature[1]
    if set(named) != set(inputs):
        inputs = dict(zip(sorted(named, key=by_number), inputs.values()))

    def answer(feed):
        return signature(**{name: tf.constant(value) for name, value in feed.items()})

    computes_in = {} if not name.startswith("mixed_precision") else {"computes_in": "float16"}
    return write_case(folder, inputs, answer, dims, format="savedmodel", file="model",
                      source=source, engine=f"TensorFlow {tf.__version__}", tag="serve",
                      signature="serving_default", **computes_in)


def jobs():
    for name, (build, ways, dims, inputs, policy) in MODELS.items():
        for way in ways:
            yield f"{name}-{way}", way, build, dims, inputs, policy
    for name, (build, dims, inputs) in MODULES.items():
        yield f"{name}-module", None, build, dims, inputs, None


def verify(ingot, folder, engine):
    """passed, failed or skipped; the worst error and what it is of its tolerance; why."""
    done = subprocess.run([ingot, "verify", folder, "--engine", engine, "--json"],
                          capture_output=True, text=True, check=False)
    if not done.stdout.startswith("{"):
        return "failed", None, None, f"status {done.returncode}: {done.stderr.strip()}"
    results = json.loads(done.stdout)["results"]
    kinds = {each["result"] for each in results}
    kind = next((k for k in ("failed", "skipped") if k in kinds), "passed")
    worst = max((each["worst"] for each in results if "worst" in each), default=None,
                key=lambda w: w["of_tolerance"])
    why = next((each["reason"] for each in results if each["reason"]), "")
    return kind, worst and worst["error"], worst and worst["of_tolerance"], why


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--ingot", default="build/ingot")
    parser.add_argument("--only", default="", help="models whose names match")
    parser.add_argument("--again", action="store_true", help="verify what is written already")
    parser.add_argument("--write-only", action="store_true")
    parser.add_argument("--keep", type=pathlib.Path, help="where copies for the tests go")
    flags = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    rows, bad, written, unwritten = [], [], set(), 0
    for name, way, build, dims, inputs, policy in jobs():
        if not re.search(flags.only, name):
            continue
        folder = flags.folder / name
        if not flags.again or not (folder / "model.json").exists():
            shutil.rmtree(folder, ignore_errors=True)
            try:
                with contextlib.redirect_stdout(sys.stderr):
                    write(folder, way, build, dims, inputs, policy)
            except Exception as error:  # the others are still of interest
                bad.append((name, f"TensorFlow does not write it: {error}"))
                unwritten += 1
                continue
        written.add(build.__name__)
        if flags.keep and name in KEPT:
            keep(folder, flags.keep / name)
        if flags.write_only:
            continue
        tolerance = json.loads((folder / "model.json").read_text())["data_sets"][0]
        results = [verify(flags.ingot, folder, engine) for engine in ("interpreter", "compiled")]
        kind, error, share, why = next((r for r in results if r[0] != "passed"), results[1])
        if kind != "passed":
            bad.append((name, why))
        rows.append(f"| {name} | {' '.join(ops_of(folder / 'model')[:8])} | {kind} "
                    f"| {'' if error is None else f'{error:.1e}'} "
                    f"| {tolerance['rtol']:g}, {tolerance['atol']:g} "
                    f"| {'' if share is None else f'{share:.2f}'} |")
        print(rows[-1], flush=True)
    if flags.write_only:
        print(f"{len(written)} models written")
        return 1 if bad else 0
    print("\n| model | ops | result | worst error | tolerance: relative, absolute | of it |")
    print("|---|---|---|---|---|---|")
    print("\n".join(rows))
    for name, why in bad:
        print(f"\n{name}: {why}")
    print(f"\n{len(rows) + unwritten - len(bad)} of {len(rows) + unwritten} files pass, of {len(written)} models")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
