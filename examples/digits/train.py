# SPDX-License-Identifier: Apache-2.0
"""Trains the small real model of this repository and writes it with a few real inputs.

The data are the 1,797 handwritten digits that scikit-learn carries: 8x8 pixels, ink from 0 to 16
(E. Alpaydin and C. Kaynak, UCI "Optical recognition of handwritten digits", CC BY 4.0).
Training is plain numpy, so that the file needs no framework and reads from top to bottom.
The same versions (README.md) on the same machine give the same bytes.

usage: python train.py            writes digits.onnx, inputs.txt and reference.txt beside itself
"""
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_digits

HERE = pathlib.Path(__file__).resolve().parent
WIDTHS = (64, 64, 32, 10)
EPSILON = 1e-3
SHOWN = 20


def load():
    """Ink as float64 rows, labels, and a fixed split: four fifths to train, one fifth held out."""
    data = load_digits()
    order = np.random.default_rng(2026).permutation(len(data.target))
    held_out = len(order) // 5
    pick = lambda rows: (data.data[rows], data.target[rows])
    return pick(order[held_out:]), pick(order[:held_out])


def initial_parameters(rng):
    p = {}
    for layer, (rows, columns) in enumerate(zip(WIDTHS, WIDTHS[1:]), start=1):
        p[f"W{layer}"] = rng.normal(0, np.sqrt(2 / rows), (rows, columns))
        p[f"b{layer}"] = np.zeros(columns)
    p["gamma"], p["beta"] = np.ones(WIDTHS[1]), np.zeros(WIDTHS[1])
    return p


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def step(p, x, labels):
    """One forward and backward pass; gives gradients and the batch's mean and variance."""
    n = len(x)
    x = x / 16
    z1 = x @ p["W1"] + p["b1"]
    mean, variance = z1.mean(axis=0), z1.var(axis=0)
    inverse = 1 / np.sqrt(variance + EPSILON)
    centred = (z1 - mean) * inverse
    y1 = centred * p["gamma"] + p["beta"]
    h1 = np.maximum(y1, 0)
    y2 = h1 @ p["W2"] + p["b2"]
    h2 = np.maximum(y2, 0)
    d3 = softmax(h2 @ p["W3"] + p["b3"])
    d3[np.arange(n), labels] -= 1
    d3 /= n
    d2 = (d3 @ p["W3"].T) * (y2 > 0)
    d1 = (d2 @ p["W2"].T) * (y1 > 0)
    dc = d1 * p["gamma"]
    dz = inverse * (dc - dc.mean(axis=0) - centred * (dc * centred).mean(axis=0))
    gradients = {
        "W1": x.T @ dz, "b1": dz.sum(axis=0),
        "gamma": (d1 * centred).sum(axis=0), "beta": d1.sum(axis=0),
        "W2": h1.T @ d2, "b2": d2.sum(axis=0),
        "W3": h2.T @ d3, "b3": d3.sum(axis=0),
    }
    return gradients, mean, variance


def train(x, labels, epochs=60, batch=32, rate=2e-3, decay=1e-4):
    """Adam; batch norm's running statistics are kept as it goes and exported with the weights."""
    rng = np.random.default_rng(7)
    p = initial_parameters(rng)
    first = {k: np.zeros_like(v) for k, v in p.items()}
    second = {k: np.zeros_like(v) for k, v in p.items()}
    running_mean, running_variance = np.zeros(WIDTHS[1]), np.ones(WIDTHS[1])
    t = 0
    for epoch in range(epochs):
        order = rng.permutation(len(x))
        for begin in range(0, len(order) - batch + 1, batch):
            rows = order[begin:begin + batch]
            gradients, mean, variance = step(p, x[rows], labels[rows])
            running_mean += 0.02 * (mean - running_mean)
            running_variance += 0.02 * (variance * batch / (batch - 1) - running_variance)
            t += 1
            now = rate * 0.5 * (1 + np.cos(np.pi * epoch / epochs))
            for k, g in gradients.items():
                g = g + decay * p[k]
                first[k] += 0.1 * (g - first[k])
                second[k] += 0.001 * (g * g - second[k])
                p[k] -= now * (first[k] / (1 - 0.9**t)) / (np.sqrt(second[k] / (1 - 0.999**t)) + 1e-8)
    p["mean"], p["variance"] = running_mean, running_variance
    return {k: v.astype(np.float32) for k, v in p.items()}


def predict(p, x):
    """The exported network in float64: the reference that tests compare with."""
    p = {k: v.astype(np.float64) for k, v in p.items()}
    z = (x / 16) @ p["W1"] + p["b1"]
    z = (z - p["mean"]) / np.sqrt(p["variance"] + EPSILON) * p["gamma"] + p["beta"]
    z = np.maximum(np.maximum(z, 0) @ p["W2"] + p["b2"], 0)
    return softmax(z @ p["W3"] + p["b3"])


def export(p, path):
    """ONNX opset 13 with a symbolic batch; dense layers in both forms that exporters write."""
    nodes = [
        helper.make_node("Mul", ["pixels", "sixteenth"], ["ink"], "scale"),
        helper.make_node("Gemm", ["ink", "W1", "b1"], ["dense1"], "dense1"),
        helper.make_node("BatchNormalization", ["dense1", "gamma", "beta", "mean", "variance"],
                         ["norm1"], "norm1", epsilon=EPSILON),
        helper.make_node("Relu", ["norm1"], ["relu1"], "relu1"),
        helper.make_node("MatMul", ["relu1", "W2"], ["dense2_product"], "dense2"),
        helper.make_node("Add", ["dense2_product", "b2"], ["dense2"], "dense2_bias"),
        helper.make_node("Relu", ["dense2"], ["relu2"], "relu2"),
        helper.make_node("Gemm", ["relu2", "W3", "b3"], ["logits"], "dense3"),
        helper.make_node("Softmax", ["logits"], ["probabilities"], "softmax", axis=-1),
    ]
    constants = dict(p, sixteenth=np.float32(1 / 16))
    graph = helper.make_graph(
        nodes, "digits",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["N", WIDTHS[0]])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", WIDTHS[-1]])],
        [numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items()])
    model = helper.make_model(graph, producer_name="ingot examples/digits/train.py",
                              opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 7
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString())


def main():
    (x, labels), (held_x, held_labels) = load()
    p = train(x, labels)
    export(p, HERE / "digits.onnx")
    probabilities = predict(p, held_x)
    right = probabilities.argmax(axis=1) == held_labels
    print(f"{right.sum()} of {len(right)} held-out digits right ({100 * right.mean():.1f} %), "
          f"{(~right[:SHOWN]).sum()} wrong among the {SHOWN} written")
    with open(HERE / "inputs.txt", "w") as file:
        for row, label in zip(held_x[:SHOWN], held_labels[:SHOWN]):
            print(label, *row.astype(int), file=file)
    with open(HERE / "reference.txt", "w") as file:
        for row in probabilities[:SHOWN]:
            print(*(f"{value:.9e}" for value in row), file=file)


if __name__ == "__main__":
    main()
