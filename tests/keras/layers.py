# SPDX-License-Identifier: Apache-2.0
"""Checks what Ingot reads from Keras' own files, layer by layer, and writes docs/keras-layers.md.

    python layers.py --page             compares the classes of keras.layers with layers.def, and writes the page
    python layers.py --files            writes tests/keras/files anew, which the regular tests verify
    python layers.py FOLDER --ingot INGOT [--only REGEX]
        writes small models of each layer that is read, as .keras and .h5 of Keras 3 and 2, with what Keras
        answers, and checks them with `ingot verify`. Prints a table; the status is 1 if one fails.
"""

import argparse
import collections
import io
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import zipfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

ROOT = pathlib.Path(__file__).resolve().parents[2]
TABLE = ROOT / "compiler/import/keras/layers.def"
PAGE = ROOT / "docs/keras-layers.md"
DIMS = [{"N": 1, "T": 6, "S": 2, "H": 7, "W": 5}, {"N": 5, "T": 9, "S": 4, "H": 10, "W": 12}]


def read_table():
    """Class to None, or to (kind, reason, advice); and other name to class."""
    rows, aliases = {}, {}
    for line in TABLE.read_text().splitlines():
        if found := re.match(r"INGOT_KERAS_LAYER(?:_WITH)?\((\w+),", line):
            rows[found[1]] = None
        elif found := re.match(r"INGOT_KERAS_ALIAS\((\w+), (\w+)\)", line):
            aliases[found[1]] = found[2]
        elif found := re.match(r'INGOT_KERAS_REFUSED\((\w+), (\w+), "(.*)", "(.*)"\)', line):
            rows[found[1]] = found.groups()[1:]
    return rows, aliases


def write_page():
    """The page says of each class of keras.layers what the table says; Keras says which there are."""
    import keras

    rows, aliases = read_table()
    classes = sorted(n for n in dir(keras.layers) if isinstance(getattr(keras.layers, n), type))
    missing = [n for n in classes if n not in rows and n not in aliases]
    if missing:
        sys.exit(f"layers.def says nothing of {', '.join(missing)}")
    lines = []
    for name in sorted(set(classes) | set(rows)):
        verdict = rows[aliases.get(name, name)]
        if name in aliases:
            text = f"as `{aliases[name]}`"
        else:
            text = "read" if verdict is None else f"refused: {verdict[1]}"
        lines.append(f"| `{name}` | {text} |\n")
    read = sum(rows[aliases.get(n, n)] is None for n in classes)
    PAGE.write_text(
        "# Layers of Keras\n\n"
        f"Written by `tests/keras/layers.py --page` from the {len(classes)} classes of `keras.layers` in Keras "
        f"{keras.__version__} and\nfrom `compiler/import/keras/layers.def`, by which the compiler goes. {read} of "
        "them are read from `.keras` and `.h5`\nfiles, the others are refused, each with a reason; a model with one of "
        "these can be exported as a SavedModel\n(`model.export(FOLDER)`). Some lines are classes of Keras 2, or models.\n\n"
        "| Class | From a file of Keras |\n|---|---|\n" + "".join(lines))


class Layers:
    """A package's layers, and the package for models within models."""

    def __init__(self, package):
        self.package = package

    def __getattr__(self, name):
        return getattr(self.package.layers, name)


def build_model(package, name, build, inputs):
    import numpy as np
    from reference import seed_of

    package.backend.clear_session()
    package.utils.set_random_seed(seed_of(name) % 2**31)
    given = [package.Input(each.free()[1:], name=key, dtype=each.dtype) for key, each in inputs.items()]
    model = package.Model(given if len(given) > 1 else given[0], build(Layers(package), *given))
    # Zeros and ones, which layers begin with, hide what is swapped or left out.
    random = np.random.default_rng(seed_of(name))
    for weight in model.weights:
        value = np.asarray(weight)
        # Statistics that are adapted are used as they were when the layer was built.
        if value.dtype.kind != "f" or name.startswith("Normalization"):
            continue
        path = getattr(weight, "path", weight.name)
        drawn = random.uniform(0.5, 1.5, value.shape) if "variance" in path else random.normal(0, 0.1, value.shape)
        if "variance" not in path and value.ndim >= 2 and "bias" not in path:
            continue
        weight.assign((drawn if "variance" in path else value + drawn).astype(value.dtype))
    return model


def write_models(folder, only):
    """Names of what was written, and what Keras itself could not do."""
    import keras
    import numpy as np
    import tensorflow as tf
    import tf_keras

    from layer_cases import CASES
    from reference import write_case

    packages = {"3": keras, "2": tf_keras}
    counts, written, failed = collections.Counter(), {}, {}
    for layer, inputs, build, versions, options in CASES:
        counts[layer] += 1
        for version in versions:
            base = f"{layer}-{counts[layer]}-keras{version}"
            if only and not re.search(only, base):
                continue
            package = packages[version]
            try:
                model = build_model(package, f"{layer}-{counts[layer]}", build, inputs)
            except Exception as error:  # what a version does not have
                failed[base] = f"{type(error).__name__}: {str(error).splitlines()[0]}"
                continue

            def answer(feed):
                results = model([np.asarray(v) for v in feed.values()] if len(feed) > 1 else next(iter(feed.values())),
                                training=False)
                results = tf.nest.flatten(results)
                names, used = [], collections.Counter()
                for name in model.output_names:
                    names.append(name if not used[name] or version == "2" else f"{name}_{used[name]}")
                    used[name] += 1
                return dict(zip(names, (np.asarray(r) for r in results)))

            for suffix in ("keras", "h5"):
                name = f"{base}-{suffix}"
                path = folder / name
                path.mkdir(parents=True)
                try:
                    model.save(path / f"model.{suffix}")
                    computes = "float16" if "float16" in str(model.get_config()) else None
                    what = {"computes_in": computes} if computes else {}
                    write_case(path, inputs, answer, DIMS, format=suffix, file=f"model.{suffix}",
                               source=f"Keras {package.__version__}", engine="TensorFlow", **what)
                    written[name] = layer
                except Exception as error:
                    failed[name] = f"{type(error).__name__}: {str(error).splitlines()[0]}"
                    shutil.rmtree(path)
    return written, failed


# What the regular tests verify: each format and version, layers within layers, masks, functions.
FILES = ("Bidirectional-2-keras3-keras", "Conv2D-2-keras2-keras", "Functional-3-keras3-keras", "Functional-3-keras2-h5",
         "GRU-9-keras3-h5", "Functional-1-keras3-keras", "MultiHeadAttention-8-keras3-keras", "RNN-1-keras2-h5")


def smaller(path):
    """The same file in a fifth of the bytes: the newest form of HDF5, and an archive that is compressed."""
    import h5py

    def packed(bytes_in):
        out = io.BytesIO()
        with h5py.File(io.BytesIO(bytes_in)) as old, h5py.File(out, "w", libver="latest") as new:
            for key, value in old.attrs.items():
                if key != "training_config":
                    new.attrs[key] = value
            for key in old:
                if key != "optimizer_weights":
                    old.copy(key, new)
        return out.getvalue()

    if path.suffix == ".h5":
        path.write_bytes(packed(path.read_bytes()))
        return
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, packed(content) if name.endswith(".h5") else content)


def write_files():
    folder = ROOT / "tests/keras/files"
    if folder.exists():
        shutil.rmtree(folder)
    only = "^(" + "|".join(name.rsplit("-", 1)[0] for name in FILES) + ")$"
    _, failed = write_models(folder, only)
    for path in folder.iterdir():
        if path.name in FILES:
            smaller(next(path.glob("model.[kh]*")))
        else:
            shutil.rmtree(path)
    return 1 if failed else 0


def verify(folder, ingot, engine):
    """Result, by the name of a model: None if it is fine, or what went wrong."""
    run = subprocess.run([ingot, "verify", str(folder), "--engine", engine, "--json"], capture_output=True, text=True)
    report = json.loads(run.stdout)
    results = {}
    for each in report["results"]:
        told = each.get("message") or each.get("reason") or each["result"]
        if each["result"] == "passed":
            results.setdefault(each["case"].split("/")[0], None)
        else:
            results[each["case"].split("/")[0]] = told
    return results


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", type=pathlib.Path)
    parser.add_argument("--ingot", type=pathlib.Path)
    parser.add_argument("--only")
    parser.add_argument("--page", action="store_true")
    parser.add_argument("--files", action="store_true")
    parser.add_argument("--keep", action="store_true", help="check what is in the folder already")
    options = parser.parse_args()
    if options.page:
        return write_page()
    if options.files:
        return write_files()
    if options.folder is None or options.ingot is None:
        parser.error("give a folder and --ingot, --page or --files")
    failed = {}
    if not options.keep:
        if options.folder.exists():
            shutil.rmtree(options.folder)
        _, failed = write_models(options.folder, options.only)
    status = 0
    for engine in ("interpreter", "compiled"):
        results = verify(options.folder, options.ingot, engine)
        layers = collections.defaultdict(list)
        for name, problem in results.items():
            layers[name.split("-")[0]].append(problem)
            if problem is not None:
                status = 1
                print(f"{engine}: {name}: {problem}")
        fine = sum(problem is None for problem in results.values())
        print(f"{engine}: {fine} of {len(results)} models of {len(layers)} layers agree with Keras")
    for name, problem in failed.items():
        print(f"not written by Keras: {name}: {problem}")
    return status


if __name__ == "__main__":
    sys.exit(main())
