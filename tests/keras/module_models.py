# SPDX-License-Identifier: Apache-2.0
"""Models of TensorFlow's own functions: what the lambdas and layers of people hold."""

import numpy as np
import tensorflow as tf

from keras_models import BATCHES
from reference import Input, seed_of

MODULES = {}
FLAGS = ({"N": 1}, {"N": 5}, {"N": 17}, {"N": 2}, {"N": 3}, {"N": 8})


def module(dims=None, **inputs):
    """The function that follows gives a dict; `weight(shape)` is a variable."""
    if dims is None:
        free = {size for each in inputs.values() for size in each.shape if isinstance(size, str)}
        dims = BATCHES if free else ({}, {}, {})

    def add(build):
        MODULES[build.__name__] = (build, dims, inputs)
        return build

    return add


class Module(tf.Module):
    """A function of named inputs whose variables are made once."""

    def __init__(self, build, inputs):
        super().__init__()
        self.build, self.made, self.next = build, [], 0
        self.random = np.random.default_rng(seed_of(build.__name__))
        self.signature = tf.function(self.call, input_signature=[
            tf.TensorSpec(each.free(), each.dtype, name=name) for name, each in inputs.items()])

    def call(self, *values):
        self.next = 0
        return self.build(self.weight, *values)

    def weight(self, *shape):
        if self.next == len(self.made):
            with tf.init_scope():
                start = self.random.normal(0, 0.4, shape).astype("float32")
                self.made.append(tf.Variable(start))
        self.next += 1
        return self.made[self.next - 1]


# ---- arrays and counted loops ----


@module(x=Input("N", "T", 4), dims=({"N": 1, "T": 3}, {"N": 5, "T": 8}, {"N": 2, "T": 1}))
def array_loop(weight, x):
    w = weight(4, 4)
    steps = tf.shape(x)[1]
    array = tf.TensorArray(tf.float32, size=steps)
    state = tf.zeros_like(x[:, 0])
    for t in tf.range(steps):
        state = tf.tanh(tf.matmul(state, w) + x[:, t])
        array = array.write(t, state)
    return {"last": state, "all": tf.transpose(array.stack(), [1, 0, 2])}


@module(x=Input("N", 6, 4))
def array_loop_fixed(weight, x):
    array = tf.TensorArray(tf.float32, size=6, element_shape=[None, 4])
    state = tf.zeros_like(x[:, 0])
    for t in tf.range(6):
        state = state * 0.5 + x[:, t]
        array = array.write(t, state)
    return {"all": array.stack()}


@module(x=Input("N", 6, 4))
def array_loop_backwards(weight, x):
    array = tf.TensorArray(tf.float32, size=6, element_shape=[None, 4])
    state = tf.zeros_like(x[:, 0])
    for t in tf.range(6):
        state = state * 0.5 + x[:, 5 - t]
        array = array.write(5 - t, state)
    return {"all": array.stack()}


@module(x=Input("N", 7, 3))
def array_loop_from_one(weight, x):
    state = x[:, 0]
    for t in tf.range(1, 7, 2):
        state = tf.maximum(state, x[:, t]) - 0.1
    return {"y": state}


@module(x=Input("N", 5))
def map_and_fold(weight, x):
    w = weight(5)
    each = tf.map_fn(lambda row: row * w + tf.reduce_max(row), x)
    total = tf.foldl(lambda a, row: a * 0.9 + row, x)
    scanned = tf.scan(lambda a, row: tf.tanh(a + row), x)
    return {"each": each, "total": total, "scanned": scanned,
            "vectorized": tf.vectorized_map(lambda row: tf.reduce_sum(row * w), x)}


@module(x=Input("N", 4))
def loops_within(weight, x):
    y = x
    for _ in tf.range(3):
        z = tf.zeros_like(y)
        for _ in tf.range(4):
            z = z * 0.5 + tf.sin(y)
        y = y + z
    return {"y": y}


# ---- loops and branches that data decide ----


@module(x=Input("N", 6))
def while_norm(weight, x):
    w = weight(6, 6)
    turns = tf.constant(0)
    while tf.reduce_max(tf.abs(x)) > 0.1:
        x = tf.matmul(x, w) * 0.4
        turns += 1
    return {"x": x, "turns": turns}


@module(x=Input("N", 6), limit=Input(dtype="int32", below=7), dims=FLAGS)
def while_bounded(weight, x, limit):
    def goes_on(i, y):
        return tf.logical_and(i < limit, tf.reduce_sum(y) < 5.0)

    i, y = tf.while_loop(goes_on, lambda i, y: (i + 1, y + tf.abs(x) * 0.3), (0, x),
                         maximum_iterations=20)
    return {"i": i, "y": y}


@module(x=Input("N", 6))
def while_break(weight, x):
    best = tf.zeros_like(x[:, 0])
    for t in tf.range(6):
        if tf.reduce_max(x[:, t]) > 1.5:
            break
        best = tf.maximum(best, x[:, t])
    return {"best": best}


@module(x=Input("N", 6), dims=FLAGS)
def while_array(weight, x):
    array = tf.TensorArray(tf.float32, size=0, dynamic_size=True, element_shape=[None, 6])
    i = tf.constant(0)
    y = x
    while tf.reduce_max(tf.abs(y)) > 0.2:
        y = y * 0.6
        array = array.write(i, y)
        i += 1
    return {"all": array.stack(), "turns": i}


@module(x=Input("N", 6), dims=FLAGS)
def if_data(weight, x):
    w = weight(6, 3)
    y = tf.cond(tf.reduce_sum(x) > 0, lambda: tf.matmul(x, w), lambda: tf.reshape(x, [-1, 3, 2])[:, :, 0])
    return {"y": y}


@module(x=Input("N", 6), flag=Input(dtype="bool"), dims=FLAGS)
def if_several(weight, x, flag):
    total = tf.reduce_sum(x)
    if flag:
        if total > 0:
            y, z = x + 1.0, total
        else:
            y, z = x - 1.0, -total
    else:
        y, z = x * 3.0, tf.constant(7.0)
    if total > 2.0:
        y = y + z
    return {"y": y, "z": z}


@module(x=Input("N", 6), which=Input(dtype="int32", below=5), dims=FLAGS)
def case_data(weight, x, which):
    w = weight(6, 6)
    y = tf.switch_case(which, [lambda: tf.matmul(x, w), lambda: tf.nn.relu(x), lambda: x - 1.0],
                       default=lambda: tf.zeros_like(x))
    return {"y": y}


@module(x=Input("N", 6), steps=Input(dtype="int32", below=6), dims=FLAGS)
def if_in_while(weight, x, steps):
    for _ in tf.range(steps):
        if tf.reduce_sum(x) > 1.0:
            x = x * 0.5
        else:
            x = x + 0.25
    return {"x": x}


@module(x=Input("N", 6), dims=FLAGS)
def while_in_if(weight, x):
    if tf.reduce_sum(x) > 0.0:
        turns = tf.constant(0)
        while tf.reduce_sum(x) > 0.5:
            x = x * 0.5 - 0.01
            turns += 1
    else:
        turns = tf.constant(-1)
    return {"x": x, "turns": turns}


@module(x=Input("N", 6), dims=FLAGS)
def if_safe(weight, x):
    # The branch that is not taken would read beyond the end.
    n = tf.shape(x)[0]
    y = tf.cond(n > 3, lambda: tf.gather(x, 3), lambda: tf.gather(x, n - 1))
    return {"y": y}


# ---- ops ----


@module(x=Input("N", 8, 8, 3))
def space_to_batch(weight, x):
    w = weight(3, 3, 3, 4)
    y = tf.space_to_batch(x, [2, 2], [[2, 2], [2, 2]])
    y = tf.nn.conv2d(y, w, 1, "VALID")
    y = tf.batch_to_space(y, [2, 2], [[0, 0], [0, 0]])
    return {"y": y, "deep": tf.nn.space_to_depth(x, 2), "wide": tf.nn.depth_to_space(
        tf.concat([x, x, x, x], 3), 2)}


@module(x=Input("N", 4), seg=Input("N", dtype="int32", below=6, ascending=True))
def segments(weight, x, seg):
    return {"sum": tf.math.segment_sum(x, seg), "mean": tf.math.segment_mean(x, seg),
            "max": tf.math.segment_max(x, seg), "min": tf.math.segment_min(x, seg),
            "prod": tf.math.segment_prod(x, seg)}


@module(x=Input("N", 4), seg=Input("N", dtype="int32", below=6))
def unsorted_segments(weight, x, seg):
    u = tf.math
    return {"sum": u.unsorted_segment_sum(x, seg, 6), "mean": u.unsorted_segment_mean(x, seg, 6),
            "max": u.unsorted_segment_max(x, seg, 6), "min": u.unsorted_segment_min(x, seg, 6),
            "prod": u.unsorted_segment_prod(x, seg, 6),
            "count": u.bincount(seg, minlength=6, maxlength=6)}


@module(x=Input("N", 7), keep=Input("N", dtype="bool"))
def sizes_of_data(weight, x, keep):
    kept = tf.boolean_mask(x, keep)
    values, index, count = tf.unique_with_counts(tf.cast(x[:, 0] * 2.0, tf.int32))
    return {"kept": kept, "places": tf.where(x > 0.5), "values": values, "index": index,
            "count": count, "mean": tf.reduce_sum(kept, 0)}


@module(x=Input("N", 9), i=Input("N", dtype="int32", below=9))
def indices(weight, x, i):
    rows = tf.range(tf.shape(x)[0])
    at = tf.stack([rows, i], 1)
    return {"picked": tf.gather_nd(x, at), "set": tf.tensor_scatter_nd_update(x, at, x[:, 0]),
            "added": tf.scatter_nd(at, x[:, 1], tf.shape(x)), "hot": tf.one_hot(i, 9),
            "order": tf.argsort(x), "sorted": tf.sort(x, direction="DESCENDING"),
            "best": tf.argmax(x, 1), "found": tf.searchsorted(tf.sort(x), x[:, :3])}


@module(x=Input("N", 5, 6))
def linear_algebra(weight, x):
    w = weight(6, 4)
    return {"e": tf.einsum("nij,jk->nik", x, w), "gram": tf.matmul(x, x, transpose_b=True),
            "tensordot": tf.tensordot(x, w, 1), "cumsum": tf.cumsum(x, 1, exclusive=True),
            "cumprod": tf.math.cumprod(x, 2, reverse=True), "norm": tf.norm(x, axis=2),
            "lse": tf.reduce_logsumexp(x, 2), "band": tf.linalg.band_part(x, 1, 2),
            "trace": tf.linalg.trace(x[:, :, :5]), "l2": tf.math.l2_normalize(x, 1)}


@module(x=Input("N", 6, dtype="int64", below=50), b=Input("N", 6, dtype="bool"))
def integers(weight, x, b):
    return {"div": x // 7, "mod": x % 7, "cast": tf.cast(x, tf.float32) / 3.0,
            "any": tf.reduce_any(b, 1), "all": tf.reduce_all(b, 1), "xor": tf.math.logical_xor(b, x > 20),
            "max": tf.reduce_max(x, 1), "sign": tf.sign(x - 25), "pow": tf.pow(x, 2)}
