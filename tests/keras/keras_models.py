# SPDX-License-Identifier: Apache-2.0
"""Models of Keras layers, each as Keras 3 or Keras 2 builds it."""

import numpy as np
import tensorflow as tf

from reference import Input

BATCHES = ({"N": 1}, {"N": 5}, {"N": 17})
SEQUENCES = ({"N": 1, "T": 7}, {"N": 5, "T": 12}, {"N": 17, "T": 3})
# Keras 3's model.export, tf.saved_model.save of a Keras 3 model, tf_keras's model.save.
EXPORT, SAVE, KERAS2 = "export", "save", "keras2"
MODELS = {}


def model(*ways, dims=None, policy=None, **inputs):
    """The function that follows makes outputs from a Keras package and its inputs."""
    if dims is None:
        free = {size for each in inputs.values() for size in each.shape if isinstance(size, str)}
        dims = SEQUENCES if "T" in free else BATCHES if free else ({}, {})

    def add(build):
        MODELS[build.__name__] = (build, ways or (EXPORT,), dims, inputs, policy)
        return build

    return add


# ---- dense ----


@model(EXPORT, SAVE, KERAS2, x=Input("N", 12))
def dense(k, x):
    x = k.layers.Dense(16, activation="relu")(x)
    x = k.layers.BatchNormalization()(x)
    x = k.layers.Dense(16, activation="selu")(x)
    x = k.layers.Dropout(0.3)(x)
    return k.layers.Dense(3, activation="softmax")(x)


@model(EXPORT, KERAS2, x=Input("N", 6))
def activations(k, x):
    names = ("elu exponential gelu hard_sigmoid linear relu selu sigmoid softmax softplus softsign "
             "swish tanh").split()
    if k.__name__ == "keras":
        names += ("celu glu hard_shrink hard_tanh leaky_relu log_sigmoid log_softmax relu6 "
                  "soft_shrink sparse_plus squareplus tanh_shrink").split()
    out = [k.layers.Activation(name)(x) for name in names]
    layers = [k.layers.LeakyReLU(), k.layers.PReLU(), k.layers.ELU(0.7), k.layers.ReLU(4.0, 0.1),
              k.layers.Softmax()]
    return k.layers.Concatenate()(out + [layer(x) for layer in layers])


@model(EXPORT, KERAS2, x=Input("N", "T", 8))
def dense_in_time(k, x):
    y = k.layers.Dense(10, activation="tanh")(x)
    return k.layers.EinsumDense("abc,cd->abd", output_shape=(None, 6), bias_axes="d")(y)


@model(EXPORT, x=Input("N", 9))
def mixed_precision(k, x):
    y = k.layers.Dense(12, activation="relu", dtype="mixed_float16")(x)
    return k.layers.Dense(3, dtype="float32")(y)


@model(EXPORT, KERAS2, x=Input("N", 9, dtype="float64"), policy="float64")
def float64(k, x):
    y = k.layers.Dense(12, activation="tanh")(x)
    y = k.layers.LayerNormalization()(y)
    return k.layers.Dense(3, activation="sigmoid")(y)


@model(EXPORT, x=Input("N", 9), keep=Input("N", 9, dtype="bool"))
def truths(k, x, keep):
    y = k.layers.Lambda(lambda a: tf.where(a[1], a[0], -a[0]), output_shape=(9,))([x, keep])
    y = k.layers.Dense(4)(y)
    return y, k.layers.Lambda(lambda a: a > 0, output_shape=(4,))(y)


# ---- convolutions ----


@model(EXPORT, KERAS2, x=Input("N", 20, 4))
def conv1d(k, x):
    x = k.layers.Conv1D(8, 3, padding="causal", activation="relu")(x)
    x = k.layers.Conv1D(8, 3, padding="causal", dilation_rate=2)(x)
    x = k.layers.Conv1D(6, 4, strides=2, padding="same")(x)
    return k.layers.Conv1D(3, 3)(x)


@model(EXPORT, KERAS2, x=Input("N", "T", 4))
def conv1d_free(k, x):
    x = k.layers.Conv1D(8, 3, padding="causal", dilation_rate=2, activation="relu")(x)
    return k.layers.GlobalMaxPooling1D()(k.layers.Conv1D(5, 3, padding="same")(x))


@model(EXPORT, SAVE, KERAS2, x=Input("N", 12, 11, 3))
def conv2d(k, x):
    x = k.layers.Conv2D(8, 3, padding="same", activation="relu")(x)
    x = k.layers.BatchNormalization()(x)
    x = k.layers.Conv2D(8, (3, 2), strides=2, padding="same")(x)
    return k.layers.Conv2D(4, 3)(x)


@model(EXPORT, KERAS2, x=Input("N", 14, 13, 3))
def conv2d_dilated(k, x):
    x = k.layers.Conv2D(6, 3, dilation_rate=2, padding="same", activation="relu")(x)
    x = k.layers.Conv2D(6, 3, dilation_rate=(2, 3))(x)
    return k.layers.DepthwiseConv2D(3, dilation_rate=2)(x)


@model(EXPORT, x=Input("N", 10, 10, 4))
def conv2d_grouped(k, x):
    return k.layers.Conv2D(8, 3, groups=2, padding="same")(x)


@model(EXPORT, KERAS2, x=Input("N", 6, 7, 3))
def conv2d_transposed(k, x):
    x = k.layers.Conv2DTranspose(5, 3, strides=2, padding="same", activation="relu")(x)
    return k.layers.Conv2DTranspose(4, (2, 3), strides=(1, 2), output_padding=(0, 1))(x)


@model(EXPORT, KERAS2, x=Input("N", 9, 3))
def conv1d_transposed(k, x):
    return k.layers.Conv1DTranspose(4, 3, strides=2, padding="same")(x)


@model(EXPORT, KERAS2, x=Input("N", 6, 7, 8, 2))
def conv3d(k, x):
    x = k.layers.Conv3D(4, 3, padding="same", activation="relu")(x)
    x = k.layers.Conv3D(3, 2, strides=(1, 2, 2))(x)
    return k.layers.Conv3DTranspose(2, 2, strides=2)(x)


@model(EXPORT, KERAS2, x=Input("N", 10, 11, 4))
def depthwise(k, x):
    x = k.layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same")(x)
    x = k.layers.SeparableConv2D(6, 3, activation="relu")(x)
    return k.layers.SeparableConv2D(3, 3, strides=2, padding="same")(x)


@model(EXPORT, KERAS2, x=Input("N", 15, 4))
def depthwise1d(k, x):
    x = k.layers.DepthwiseConv1D(3, depth_multiplier=2, padding="same")(x)
    return k.layers.SeparableConv1D(6, 3, activation="relu")(x)


# ---- poolings ----


@model(EXPORT, KERAS2, x=Input("N", 17, 4))
def pooling1d(k, x):
    L = k.layers
    out = [L.MaxPooling1D(2)(x), L.AveragePooling1D(3, strides=2, padding="same")(x),
           L.MaxPooling1D(3, strides=2, padding="same")(x)]
    return out + [L.GlobalAveragePooling1D()(x), L.GlobalMaxPooling1D()(x)]


@model(EXPORT, KERAS2, x=Input("N", 9, 10, 3))
def pooling2d(k, x):
    L = k.layers
    out = [L.MaxPooling2D(2)(x), L.AveragePooling2D(3, strides=2, padding="same")(x),
           L.MaxPooling2D((3, 2), strides=2, padding="same")(x)]
    return out + [L.GlobalAveragePooling2D(keepdims=True)(x), L.GlobalMaxPooling2D()(x)]


@model(EXPORT, KERAS2, x=Input("N", 6, 7, 8, 2))
def pooling3d(k, x):
    L = k.layers
    out = [L.MaxPooling3D(2)(x), L.AveragePooling3D(3, strides=2, padding="same")(x)]
    return out + [L.GlobalAveragePooling3D()(x), L.GlobalMaxPooling3D()(x)]


# ---- normalizations ----


@model(EXPORT, SAVE, KERAS2, x=Input("N", 8, 6))
def batch_norm(k, x):
    a = k.layers.BatchNormalization()(x)
    b = k.layers.BatchNormalization(axis=1, scale=False)(x)
    c = k.layers.BatchNormalization(center=False, epsilon=1e-5)(k.layers.Flatten()(x))
    return a, b, c


@model(EXPORT, KERAS2, x=Input("N", 8, 6))
def layer_norm(k, x):
    a = k.layers.LayerNormalization()(x)
    b = k.layers.LayerNormalization(axis=(1, 2), epsilon=1e-4)(x)
    return a, b, k.layers.UnitNormalization()(x)


@model(EXPORT, KERAS2, x=Input("N", 5, 5, 6))
def group_norm(k, x):
    a = k.layers.GroupNormalization(3)(x)
    return a, k.layers.GroupNormalization(-1)(x)


@model(EXPORT, x=Input("N", 8, 6))
def rms_norm(k, x):
    return k.layers.RMSNormalization()(x)


@model(EXPORT, SAVE, KERAS2, x=Input("N", 5))
def normalization(k, x):
    x = k.layers.Normalization(mean=[0.1, 0.2, 0.3, 0.4, 0.5], variance=[1.0, 2.0, 3.0, 4.0, 5.0])(x)
    x = k.layers.Rescaling(0.5, offset=0.1)(x)
    return k.layers.Dense(3)(x)


@model(EXPORT, KERAS2, x=Input("N", 5))
def normalization_adapted(k, x):
    layer = k.layers.Normalization()
    layer.adapt(np.random.default_rng(1).normal(2, 3, (64, 5)).astype("float32"))
    return k.layers.Dense(3)(layer(x))


@model(EXPORT, KERAS2, x=Input("N", 4), c=Input("N", 3, dtype="int32", below=5))
def preprocessing(k, x, c):
    bins = k.layers.Discretization([-1.0, -0.2, 0.4, 1.5])(x)
    many = k.layers.CategoryEncoding(5, output_mode="multi_hot")(c)
    count = k.layers.CategoryEncoding(5, output_mode="count")(c)
    return bins, many, count


@model(EXPORT, KERAS2, x=Input("N", 9, 10, 3))
def images(k, x):
    L = k.layers
    return [L.Resizing(6, 7)(x), L.Resizing(5, 12, interpolation="nearest")(x),
            L.CenterCrop(5, 6)(x), L.Rescaling(1 / 255.0)(x)]


# ---- recurrent layers ----


@model(EXPORT, SAVE, KERAS2, x=Input("N", "T", 5))
def lstm(k, x):
    y = k.layers.LSTM(6, return_sequences=True)(x)
    return y, k.layers.LSTM(4, go_backwards=True)(y)


@model(EXPORT, KERAS2, x=Input("N", "T", 5))
def gru(k, x):
    y = k.layers.GRU(6, return_sequences=True)(x)
    return y, k.layers.GRU(4, reset_after=False)(y)


@model(EXPORT, KERAS2, x=Input("N", "T", 5))
def simple_rnn(k, x):
    y = k.layers.SimpleRNN(6, return_sequences=True, activation="relu")(x)
    return y, k.layers.SimpleRNN(4)(y)


@model(EXPORT, KERAS2, x=Input("N", 6, 5))
def rnn_fixed_length(k, x):
    y = k.layers.LSTM(6, return_sequences=True)(x)
    return y, k.layers.GRU(4)(y)


@model(EXPORT, KERAS2, x=Input("N", 5, 4))
def rnn_unrolled(k, x):
    y = k.layers.LSTM(5, unroll=True, return_sequences=True)(x)
    y = k.layers.GRU(5, unroll=True, return_sequences=True)(y)
    return y, k.layers.SimpleRNN(4, unroll=True)(y)


@model(EXPORT, KERAS2, x=Input("N", "T", 4, padded=True))
def rnn_masked(k, x):
    m = k.layers.Masking()(x)
    y = k.layers.LSTM(5, return_sequences=True)(m)
    return y, k.layers.GRU(4)(y), k.layers.SimpleRNN(3)(m)


@model(EXPORT, KERAS2, x=Input("N", 6, 4, padded=True))
def rnn_masked_unrolled(k, x):
    m = k.layers.Masking()(x)
    y = k.layers.LSTM(5, return_sequences=True, unroll=True)(m)
    return y, k.layers.GRU(4, unroll=True)(y)


@model(EXPORT, SAVE, KERAS2, x=Input("N", "T", dtype="int32", below=20, padded=True))
def embedding_masked(k, x):
    e = k.layers.Embedding(20, 6, mask_zero=True)(x)
    return k.layers.LSTM(5)(e), k.layers.GlobalAveragePooling1D()(e)


@model(EXPORT, KERAS2, x=Input("N", "T", 5))
def bidirectional(k, x):
    y = k.layers.Bidirectional(k.layers.LSTM(4, return_sequences=True))(x)
    return y, k.layers.Bidirectional(k.layers.GRU(3), merge_mode="sum")(y)


@model(EXPORT, KERAS2, x=Input("N", "T", 4, padded=True))
def bidirectional_masked(k, x):
    m = k.layers.Masking()(x)
    y = k.layers.Bidirectional(k.layers.GRU(4, return_sequences=True))(m)
    return y, k.layers.Bidirectional(k.layers.LSTM(3))(y)


@model(EXPORT, KERAS2, x=Input("N", "T", 5), y=Input("N", 4, 3))
def rnn_states(k, x, y):
    _, h, c = k.layers.LSTM(6, return_state=True)(x)
    return k.layers.LSTM(6, return_sequences=True)(y, initial_state=[h, c]), h


@model(EXPORT, KERAS2, x=Input("N", "T", 5))
def rnn_cells(k, x):
    cells = [k.layers.LSTMCell(4), k.layers.GRUCell(5), k.layers.SimpleRNNCell(3)]
    return k.layers.RNN(cells, return_sequences=True)(x)


@model(EXPORT, KERAS2, x=Input("N", "T", 6, 7, 2))
def conv_lstm(k, x):
    return k.layers.ConvLSTM2D(3, 3, padding="same")(x)


# Keras 3's runs a step for each time, and TensorFlow fails where their number is free.
@model(KERAS2, x=Input("N", "T", 8, 3))
def time_distributed(k, x):
    y = k.layers.TimeDistributed(k.layers.Conv1D(4, 3, activation="relu"))(x)
    y = k.layers.TimeDistributed(k.layers.GlobalMaxPooling1D())(y)
    return k.layers.TimeDistributed(k.layers.Dense(3))(y)


@model(EXPORT, KERAS2, x=Input("N", 5, 8, 3))
def time_distributed_fixed(k, x):
    y = k.layers.TimeDistributed(k.layers.Conv1D(4, 3, activation="relu"))(x)
    y = k.layers.TimeDistributed(k.layers.GlobalMaxPooling1D())(y)
    return k.layers.TimeDistributed(k.layers.Dense(3))(y)


# ---- attention ----


@model(EXPORT, SAVE, KERAS2, x=Input("N", "T", 8))
def multi_head_attention(k, x):
    y = k.layers.MultiHeadAttention(2, 4)(x, x)
    y = k.layers.LayerNormalization()(k.layers.Add()([x, y]))
    return k.layers.MultiHeadAttention(2, 3, value_dim=5)(y, y, use_causal_mask=True)


@model(EXPORT, KERAS2, x=Input("N", 5, 6), y=Input("N", "T", 4), keep=Input("N", 5, "T", dtype="bool"))
def cross_attention(k, x, y, keep):
    return k.layers.MultiHeadAttention(2, 4)(x, y, attention_mask=keep)


@model(EXPORT, KERAS2, x=Input("N", "T", dtype="int32", below=12, padded=True))
def masked_attention(k, x):
    e = k.layers.Embedding(12, 8, mask_zero=True)(x)
    y = k.layers.MultiHeadAttention(2, 4)(e, e)
    return k.layers.GlobalAveragePooling1D()(k.layers.LayerNormalization()(y))


@model(EXPORT, KERAS2, x=Input("N", 5, 6), y=Input("N", "T", 6))
def attention(k, x, y):
    a = k.layers.Attention(use_scale=True)([x, y])
    return a, k.layers.AdditiveAttention()([x, y])


@model(EXPORT, x=Input("N", "T", 8))
def grouped_query_attention(k, x):
    return k.layers.GroupQueryAttention(4, 4, 2)(x, x)


# ---- lambdas ----


@model(EXPORT, KERAS2, x=Input("N", 7))
def lambda_where(k, x):
    return k.layers.Lambda(lambda a: tf.where(a > 0.2, tf.math.log1p(tf.abs(a)), a * 3.0))(x)


@model(EXPORT, KERAS2, x=Input("N", 7))
def lambda_boolean_mask(k, x):
    y = k.layers.Dense(3)(x)
    return k.layers.Lambda(lambda a: tf.boolean_mask(a, a[:, 0] > 0))(y)


@model(EXPORT, KERAS2, x=Input("N", 9, 4), i=Input("N", 3, dtype="int32", below=9))
def lambda_gather(k, x, i):
    a = k.layers.Lambda(lambda a: tf.gather(a[0], a[1], batch_dims=1), output_shape=(3, 4))([x, i])
    return a, k.layers.Lambda(lambda a: tf.gather(a, [2, 0], axis=2))(x)


@model(EXPORT, KERAS2, x=Input("N", 11))
def lambda_top_k(k, x):
    a = k.layers.Lambda(lambda a: tf.math.top_k(a, 4).values)(x)
    return a, k.layers.Lambda(lambda a: tf.math.top_k(a, 3, sorted=True).indices)(x)


@model(EXPORT, KERAS2, x=Input("N", "T", 3))
def lambda_shapes(k, x):
    def fold(a):
        size = tf.shape(a)
        flat = tf.reshape(a, [size[0], size[1] * 3])
        return tf.reduce_sum(tf.reshape(flat, [-1, size[1], 3]), axis=1) / tf.cast(size[1], tf.float32)

    return k.layers.Lambda(fold)(x)


# ---- several inputs and outputs, shapes ----


@model(EXPORT, SAVE, KERAS2, a=Input("N", 6), b=Input("N", "T", 4), c=Input("N", 2, dtype="int32", below=9))
def multi_io(k, a, b, c):
    e = k.layers.Flatten()(k.layers.Embedding(9, 3)(c))
    y = k.layers.Concatenate()([a, k.layers.LSTM(5)(b), e])
    y = k.layers.Dense(8, activation="relu", name="trunk")(y)
    return (k.layers.Dense(3, activation="softmax", name="cls")(y),
            k.layers.Dense(1, name="reg")(y))


@model(EXPORT, KERAS2, a=Input("N", 6), b=Input("N", 6))
def merging(k, a, b):
    L = k.layers
    layers = [L.Add(), L.Subtract(), L.Multiply(), L.Average(), L.Maximum(), L.Minimum(),
              L.Concatenate(), L.Dot(1), L.Dot(1, normalize=True)]
    return [layer([a, b]) for layer in layers]


@model(EXPORT, KERAS2, x=Input("N", 4, 6))
def reshaping(k, x):
    L = k.layers
    y = L.Reshape((6, -1, 2))(x)
    return [L.Flatten()(x), L.Permute((2, 1))(x), L.RepeatVector(3)(L.Flatten()(x)), y,
            L.Cropping1D((1, 2))(x), L.ZeroPadding1D((2, 1))(x), L.UpSampling1D(3)(x),
            L.Cropping2D(((1, 0), (1, 0)))(y), L.ZeroPadding2D((1, 2))(y), L.UpSampling2D((2, 3))(y),
            L.UpSampling2D(2, interpolation="bilinear")(y)]


@model(EXPORT, KERAS2, x=Input("N", 10))
def shared_and_nested(k, x):
    inner_in = k.Input((5,))
    inner = k.Model(inner_in, k.layers.Dense(4, activation="tanh")(k.layers.Dense(6)(inner_in)))
    left = k.layers.Lambda(lambda a: a[:, :5])(x)
    right = k.layers.Lambda(lambda a: a[:, 5:])(x)
    return k.layers.Dense(2)(k.layers.Concatenate()([inner(left), inner(right)]))


@model(EXPORT, KERAS2, x=Input("N", 16, 16, 3))
def residual_network(k, x):
    L = k.layers
    y = L.Conv2D(8, 3, padding="same", use_bias=False)(x)
    y = L.ReLU()(L.BatchNormalization()(y))
    z = L.BatchNormalization()(L.Conv2D(8, 3, padding="same", use_bias=False)(y))
    y = L.ReLU()(L.Add()([y, z]))
    y = L.AveragePooling2D(2)(y)
    gate = L.Dense(8, activation="sigmoid")(L.GlobalAveragePooling2D(keepdims=True)(y))
    return L.Dense(5)(L.GlobalAveragePooling2D()(L.Multiply()([y, gate])))


@model(EXPORT, x=Input("N", "T", 3))
def keras_ops(k, x):
    def total(a):
        last, _ = k.ops.scan(lambda s, e: (s * 0.5 + e, s), a[:, 0] * 0, k.ops.moveaxis(a, 1, 0))
        return last

    a = k.layers.Lambda(total)(x)
    n = k.layers.Lambda(lambda a: k.ops.fori_loop(0, 4, lambda i, v: v * 0.9 + 1.0, a))(a)
    b = k.layers.Lambda(
        lambda a: k.ops.while_loop(lambda v: k.ops.sum(k.ops.abs(v)) > 1.0, lambda v: (v * 0.5,),
                                   (a,))[0])(a)
    c = k.layers.Lambda(lambda a: k.ops.cond(k.ops.sum(a) > 0, lambda: a + 1.0, lambda: a * 2.0))(a)
    return a, n, b, c
