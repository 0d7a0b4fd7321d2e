# SPDX-License-Identifier: Apache-2.0
"""Models with inputs and what TensorFlow answers, as folders that `ingot verify` reads."""

import json
import re
import zlib

import numpy as np

ONNX_TYPES = {"float32": 1, "uint8": 2, "int8": 3, "int32": 6, "int64": 7, "bool": 9,
              "float16": 10, "float64": 11}
# Of an element: |got - expected| <= atol + rtol * |expected|. Integers and truths are equal, because
# the tolerance of a set is that of the least exact type that the model computes with.
TOLERANCES = {"float64": (1e-10, 1e-11), "float32": (1e-4, 1e-5), "float16": (2e-2, 2e-3)}


class Input:
    """An input's shape, in which a string is a free size, and of what kind its numbers are."""

    def __init__(self, *shape, dtype="float32", below=8, padded=False, ascending=False):
        self.shape, self.dtype, self.below = shape, dtype, below
        self.padded, self.ascending = padded, ascending

    def free(self):
        """As TensorFlow has it: None for a free size."""
        return [None if isinstance(size, str) else size for size in self.shape]

    def draw(self, random, dims):
        shape = [dims[size] if isinstance(size, str) else size for size in self.shape]
        if self.dtype == "bool":
            return random.random(shape) < 0.5
        if self.dtype.startswith(("int", "uint")):
            # 0 is what pads.
            values = random.integers(1 if self.padded else 0, self.below, shape)
        else:
            values = random.standard_normal(shape)
        values = np.asarray(values).astype(self.dtype)
        if self.ascending:
            values = np.sort(values, axis=0)
        if self.padded:
            for row in values:
                row[random.integers(1, len(row) + 1):] = 0
        return values


def varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes(out + bytes([number]))


def tensor_proto(name, array):
    """ONNX's TensorProto: dims 1, data_type 2, name 8, raw_data 9."""
    array = np.asarray(array)
    out = b"".join(b"\x08" + varint(size) for size in array.shape)
    out += b"\x10" + varint(ONNX_TYPES[str(array.dtype)])
    raw = array.tobytes()
    return out + b"\x42" + varint(len(name)) + name.encode() + b"\x4a" + varint(len(raw)) + raw


def by_number(name):
    """`x_2` before `x_10`."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


def seed_of(name):
    return zlib.crc32(name.encode())


def write_case(folder, inputs, answer, dims, **what):
    """`inputs`: an Input by name, in order. `answer`: a dict of arrays to a dict of arrays."""
    random = np.random.default_rng(seed_of(folder.name))
    types = {each.dtype for each in inputs.values()}
    sets, outputs = [], {}
    for number, sizes in enumerate(dims):
        feed = {name: each.draw(random, sizes) for name, each in inputs.items()}
        results = {name: np.asarray(value) for name, value in answer(feed).items()}
        results = {name: results[name] for name in sorted(results, key=by_number)}
        data = folder / f"test_data_set_{number}"
        data.mkdir(parents=True)
        for stem, tensors in (("input", feed), ("output", results)):
            for i, (name, array) in enumerate(tensors.items()):
                (data / f"{stem}_{i}.pb").write_bytes(tensor_proto(name, array))
        for name, array in results.items():
            outputs.setdefault(name, []).append(array)
            types.add(str(array.dtype))
        sets.append({"folder": data.name, "dims": sizes})
    worst = next((t for t in ("float16", "float32", "float64") if t in types), "float64")
    worst = what.pop("computes_in", worst)
    for each in sets:
        each["rtol"], each["atol"] = TOLERANCES[worst]
    (folder / "model.json").write_text(json.dumps({
        "name": folder.name, "constants": {}, **what,
        "inputs": [{"name": name, "dtype": each.dtype, "shape": list(each.shape)}
                   for name, each in inputs.items()],
        # A size that is not the same in all sets follows the inputs or the data.
        "outputs": [{"name": name, "dtype": str(arrays[0].dtype),
                     "shape": [size if all(a.shape[i] == size for a in arrays) else f"D{i}"
                               for i, size in enumerate(arrays[0].shape)]}
                    for name, arrays in outputs.items()],
        "data_sets": sets}, indent=1) + "\n")
    return TOLERANCES[worst]
