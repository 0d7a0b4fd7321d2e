# SPDX-License-Identifier: Apache-2.0
"""Small models with each layer that Ingot reads from Keras' own files, several settings of each.

A row is (class, inputs, function of a package's layers and the inputs, versions of Keras): 3, 2 or both.
"""

import functools

from reference import Input

X = Input("N", 6)
SEQ = Input("N", "T", 5)
STEPS = Input("N", 7, 5)
PADDED = Input("N", 7, 5, padded=True)
LINE = Input("N", 11, 4)
FREE_LINE = Input("N", "T", 4)
IMAGE = Input("N", 9, 8, 4)
FREE_IMAGE = Input("N", "H", "W", 3)
FIRST = Input("N", 4, 9, 8)
BOX = Input("N", 5, 6, 4, 2)
WORDS = Input("N", 6, dtype="int32", below=12)
PADDED_WORDS = Input("N", 6, dtype="int32", below=12, padded=True)

CASES = []


def case(layer, inputs, build, versions="23", **options):
    if isinstance(inputs, Input):
        inputs = {"x": inputs}
    CASES.append((layer, inputs, build, versions, options))


def one(layer, shape, versions="23", **settings):
    """A model of the layer alone."""
    case(layer, shape, lambda L, *x: getattr(L, layer)(**settings)(x[0] if len(x) == 1 else list(x)), versions)


def masked(layer, versions="23", **settings):
    """The layer behind a mask, and a recurrent one that sees what became of the mask."""
    def build(L, x):
        y = getattr(L, layer)(**settings)(L.Masking()(x))
        return L.LSTM(3)(y) if len(y.shape) == 3 else y
    case(layer, PADDED, build, versions)


# Dense and its kin.
one("Dense", X, units=4)
one("Dense", X, units=4, use_bias=False, activation="relu")
one("Dense", Input("N", "T", 5), units=3, activation="tanh")
one("Dense", Input("N", 2, 3, 4), units=5, activation="softmax")
one("Dense", Input("N", 6, dtype="float64"), units=4, dtype="float64")
one("Dense", X, units=4, dtype="mixed_float16")
one("Dense", Input("N", 6, dtype="int32"), "3", units=4)
one("Dense", X, "3", units=4, dtype="float16")
case("Dense", X, lambda L, x: L.Dense(4, activation=L.LeakyReLU())(x), "3")
one("EinsumDense", STEPS, equation="abc,cd->abd", output_shape=(None, 4), bias_axes="d")
one("EinsumDense", STEPS, equation="abc,cde->abde", output_shape=(None, 2, 3), bias_axes="de", activation="relu")
one("EinsumDense", STEPS, equation="...c,cd->...d", output_shape=(7, 3))
one("EinsumDense", STEPS, equation="abc,bd->adc", output_shape=(3, 5), bias_axes="d")
one("Embedding", WORDS, input_dim=12, output_dim=5)
one("Embedding", Input("N", "T", dtype="int64", below=12), input_dim=12, output_dim=5)
case("Embedding", PADDED_WORDS, lambda L, x: L.LSTM(3)(L.Embedding(12, 5, mask_zero=True)(x)))
one("ReversibleEmbedding", WORDS, "3", input_dim=12, output_dim=5)
def reversible(L, x, **settings):
    layer = L.ReversibleEmbedding(12, 5, **settings)
    return layer(L.Dense(5)(layer(x)), reverse=True)
case("ReversibleEmbedding", WORDS, reversible, "3")
case("ReversibleEmbedding", WORDS, functools.partial(reversible, tie_weights=False, logit_soft_cap=2.0), "3")

# Convolutions.
for rank, shape, free in ((1, LINE, FREE_LINE), (2, IMAGE, FREE_IMAGE), (3, BOX, None)):
    for settings in ({}, {"padding": "same", "strides": 2}, {"padding": "same", "dilation_rate": 2, "use_bias": False},
                     {"activation": "relu", "strides": 2}):
        one(f"Conv{rank}D", shape, filters=3, kernel_size=3, **settings)
    if free:
        one(f"Conv{rank}D", free, filters=3, kernel_size=3, padding="same", strides=2)
        one(f"Conv{rank}D", free, filters=3, kernel_size=2)
        for settings in ({}, {"padding": "same"}, {"padding": "same", "depth_multiplier": 2, "use_bias": False},
                         {"activation": "relu", "strides": 2}):
            one(f"DepthwiseConv{rank}D", shape, kernel_size=3, **settings)
            one(f"SeparableConv{rank}D", shape, filters=5, kernel_size=3, **settings)
    for settings in ({}, {"padding": "same", "strides": 2}, {"strides": 3, "use_bias": False},
                     {"padding": "same", "strides": 2, "output_padding": 1}, {"activation": "relu", "strides": 2}):
        one(f"Conv{rank}DTranspose", shape, "3" if rank == 1 else "23", filters=3, kernel_size=3, **settings)
    if free:
        one(f"Conv{rank}DTranspose", free, filters=3, kernel_size=4, padding="same", strides=2)
one("Conv1D", LINE, filters=3, kernel_size=3, padding="causal")
one("Conv1D", FREE_LINE, filters=3, kernel_size=3, padding="causal", dilation_rate=2)
one("Conv2D", IMAGE, filters=6, kernel_size=(3, 2), strides=(2, 1), groups=2)
one("Conv2D", IMAGE, filters=6, kernel_size=(3, 2), dilation_rate=(1, 2))
one("DepthwiseConv2D", IMAGE, kernel_size=2, dilation_rate=2)

# Pooling.
for kind in ("Max", "Average"):
    for rank, shape, free in ((1, LINE, FREE_LINE), (2, IMAGE, FREE_IMAGE), (3, BOX, None)):
        for settings in ({}, {"pool_size": 3, "strides": 2, "padding": "same"}, {"pool_size": 3, "strides": 1}):
            one(f"{kind}Pooling{rank}D", shape, **settings)
        if free:
            one(f"{kind}Pooling{rank}D", free, pool_size=3, strides=2, padding="same")
        for settings in ({}, {"keepdims": True}):
            one(f"Global{kind}Pooling{rank}D", shape, **settings)
        one(f"Adaptive{kind}Pooling{rank}D", shape, "3", output_size=4)
        one(f"Adaptive{kind}Pooling{rank}D", shape, "3", output_size=2)
    one(f"{kind}Pooling2D", IMAGE, pool_size=(2, 3))
one("GlobalAveragePooling2D", FREE_IMAGE)
one("AdaptiveAveragePooling2D", IMAGE, "3", output_size=(3, 5))
masked("GlobalAveragePooling1D")

# Normalization.
for shape, axis in ((X, -1), (SEQ, -1), (IMAGE, -1), (IMAGE, 1)):
    one("BatchNormalization", shape, axis=axis)
one("BatchNormalization", X, center=False, epsilon=0.01)
one("BatchNormalization", X, scale=False)
one("BatchNormalization", X, dtype="mixed_float16")
masked("BatchNormalization")
one("LayerNormalization", X)
one("LayerNormalization", SEQ, epsilon=1e-5, center=False)
one("LayerNormalization", IMAGE, axis=[1, 2, 3])
one("LayerNormalization", STEPS, axis=[1], scale=False)
one("LayerNormalization", X, dtype="mixed_float16")
one("GroupNormalization", IMAGE, groups=2)
one("GroupNormalization", IMAGE, groups=-1, scale=False)
one("GroupNormalization", FIRST, groups=2, axis=1)
one("RMSNormalization", X, "3")
one("RMSNormalization", STEPS, "3", axis=[1, 2], epsilon=1e-3)
one("UnitNormalization", X)
one("UnitNormalization", IMAGE, axis=[1, 2])
case("SpectralNormalization", X, lambda L, x: L.SpectralNormalization(L.Dense(4))(x))
case("SpectralNormalization", IMAGE, lambda L, x: L.SpectralNormalization(L.Conv2D(3, 2))(x))

# Activations.
for name in ("relu", "sigmoid", "tanh", "softmax", "softplus", "softsign", "elu", "selu", "exponential", "gelu",
             "hard_sigmoid", "linear", "mish", "swish"):
    one("Activation", X, activation=name)
for name in ("relu6", "silu", "celu", "glu", "hard_shrink", "hard_silu", "hard_tanh", "leaky_relu", "log_sigmoid",
             "log_softmax", "soft_shrink", "sparse_plus", "sparse_sigmoid", "squareplus", "tanh_shrink"):
    one("Activation", X, "3", activation=name)
one("ReLU", X)
one("ReLU", X, max_value=1.0, negative_slope=0.1)
one("ReLU", X, threshold=0.5, negative_slope=0.1)
one("ReLU", X, threshold=0.5, max_value=2.0)
one("LeakyReLU", X)
one("LeakyReLU", X, "3", negative_slope=0.05)
one("ELU", X, alpha=0.5)
one("PReLU", X)
one("PReLU", IMAGE, shared_axes=[1, 2])
one("Softmax", X)
one("Softmax", STEPS, axis=1)
one("Softmax", STEPS, axis=[1, 2])
case("Softmax", {"x": X, "m": Input("N", 6, dtype="bool")}, lambda L, x, m: L.Softmax()(x, mask=m), "3")
one("ThresholdedReLU", X, "2", theta=0.5)

# Recurrent layers.
for name in ("SimpleRNN", "GRU", "LSTM"):
    for settings in ({}, {"return_sequences": True}, {"go_backwards": True, "return_sequences": True},
                     {"use_bias": False, "activation": "relu"}, {"return_state": True}, {"unroll": True}):
        one(name, STEPS, units=4, **settings)
    one(name, SEQ, units=4)
    for settings in ({}, {"return_sequences": True}, {"go_backwards": True}, {"return_state": True}):
        masked(name, units=4, **settings) if "return_state" not in settings else case(
            name, PADDED, lambda L, x, name=name: getattr(L, name)(4, return_state=True)(L.Masking()(x)))
    masked(name, "3", units=4, return_sequences=True, zero_output_for_mask=True)
    masked(name, "3", units=4, zero_output_for_mask=True)
    case("RNN", STEPS, lambda L, x, name=name: L.RNN(getattr(L, name + "Cell")(4), return_sequences=True)(x))
    states = {"h": Input("N", 4), "c": Input("N", 4)} if name == "LSTM" else {"h": Input("N", 4)}
    case(name, {"x": STEPS, **states},
         lambda L, x, *s, name=name: getattr(L, name)(4)(x, initial_state=list(s)))
    case(name, {"x": PADDED, **states},
         lambda L, x, *s, name=name: getattr(L, name)(4, return_state=True)(L.Masking()(x), initial_state=list(s)))
    case("Bidirectional", STEPS, lambda L, x, name=name: L.Bidirectional(getattr(L, name)(4))(x))
    case("Bidirectional", PADDED,
         lambda L, x, name=name: L.Bidirectional(getattr(L, name)(4, return_sequences=True))(L.Masking()(x)))
    case(name + "Cell", {"x": X, **states},
         lambda L, x, *s, name=name: getattr(L, name + "Cell")(4)(x, list(s)), "3")
one("GRU", STEPS, units=4, reset_after=False)
one("GRU", STEPS, units=4, reset_after=False, recurrent_activation="hard_sigmoid")
one("LSTM", STEPS, units=4, recurrent_activation="hard_sigmoid", activation="softsign")
one("LSTM", STEPS, units=4, dtype="mixed_float16")
one("LSTM", Input("N", 7, 5, dtype="float64"), units=4, dtype="float64")
for cells in (("LSTMCell", "GRUCell"), ("SimpleRNNCell", "LSTMCell", "LSTMCell")):
    case("StackedRNNCells", STEPS, lambda L, x, cells=cells: L.RNN(
        L.StackedRNNCells([getattr(L, cell)(3 + i) for i, cell in enumerate(cells)]))(x))
    case("StackedRNNCells", PADDED, lambda L, x, cells=cells: L.RNN(
        [getattr(L, cell)(3) for cell in cells], return_sequences=True)(L.Masking()(x)))
for mode in ("sum", "mul", "ave", "concat"):
    case("Bidirectional", SEQ, lambda L, x, mode=mode: L.Bidirectional(
        L.LSTM(3, return_sequences=True), merge_mode=mode)(x))
case("Bidirectional", STEPS, lambda L, x: L.Bidirectional(L.GRU(3, return_state=True))(x))
case("Bidirectional", STEPS, lambda L, x: L.Bidirectional(L.GRU(3), merge_mode=None)(x))
case("Bidirectional", STEPS, lambda L, x: L.Bidirectional(
    L.LSTM(3), backward_layer=L.GRU(3, go_backwards=True))(x))
case("TimeDistributed", SEQ, lambda L, x: L.TimeDistributed(L.Dense(3, activation="relu"))(x))
case("TimeDistributed", Input("N", 3, 9, 8, 2), lambda L, x: L.TimeDistributed(L.Conv2D(3, 2))(x))
case("TimeDistributed", Input("N", "T", 6, 2), lambda L, x: L.TimeDistributed(L.BatchNormalization())(x))
case("TimeDistributed", Input("N", 4, 6, 2), lambda L, x: L.TimeDistributed(L.LSTM(3))(x))
case("TimeDistributed", PADDED, lambda L, x: L.LSTM(2)(L.TimeDistributed(L.Dense(3))(L.Masking()(x))))

# Attention.
PAIR = {"q": Input("N", 5, 6), "v": Input("N", 4, 6)}
case("MultiHeadAttention", STEPS, lambda L, x: L.MultiHeadAttention(2, 3)(x, x))
case("MultiHeadAttention", SEQ, lambda L, x: L.MultiHeadAttention(2, 3, value_dim=4, output_shape=5)(x, x))
case("MultiHeadAttention", PAIR, lambda L, q, v: L.MultiHeadAttention(2, 3, use_bias=False)(q, v))
case("MultiHeadAttention", PAIR, lambda L, q, v: L.MultiHeadAttention(3, 2)(
    q, v, return_attention_scores=True))
case("MultiHeadAttention", {**PAIR, "k": Input("N", 4, 3)}, lambda L, q, v, k: L.MultiHeadAttention(2, 3)(q, v, k))
case("MultiHeadAttention", STEPS, lambda L, x: L.MultiHeadAttention(2, 3)(x, x, use_causal_mask=True))
case("MultiHeadAttention", {**PAIR, "m": Input("N", 5, 4, dtype="bool")},
     lambda L, q, v, m: L.MultiHeadAttention(2, 3)(q, v, attention_mask=m))
def padded_attention(L, x):
    y = L.Masking()(x)
    return L.LSTM(3)(L.MultiHeadAttention(2, 3)(y, y))
case("MultiHeadAttention", PADDED, padded_attention)
case("MultiHeadAttention", Input("N", 3, 4, 5), lambda L, x: L.MultiHeadAttention(2, 3)(x, x))
case("MultiHeadAttention", Input("N", 3, 4, 5), lambda L, x: L.MultiHeadAttention(2, 3, attention_axes=(2,))(x, x))
case("MultiHeadAttention", STEPS, lambda L, x: L.MultiHeadAttention(2, 3, dropout=0.3)(x, x))
case("GroupQueryAttention", STEPS, lambda L, x: L.GroupQueryAttention(3, 4, 2)(x, x), "3")
case("GroupQueryAttention", PAIR, lambda L, q, v: L.GroupQueryAttention(3, 4, 1, use_bias=False)(q, v), "3")
case("GroupQueryAttention", SEQ, lambda L, x: L.GroupQueryAttention(3, 4, 2)(x, x, use_causal_mask=True), "3")
for settings in ({}, {"use_scale": True}, {"score_mode": "concat"}, {"use_scale": True, "score_mode": "concat"}):
    case("Attention", PAIR, lambda L, q, v, settings=settings: L.Attention(**settings)([q, v]))
case("Attention", {**PAIR, "k": Input("N", 4, 6)}, lambda L, q, v, k: L.Attention()([q, v, k]))
case("Attention", STEPS, lambda L, x: L.Attention()([x, x], use_causal_mask=True))
case("Attention", PADDED, lambda L, x: L.LSTM(3)(L.Attention()([L.Masking()(x), L.Masking()(x)])))
case("Attention", PAIR, lambda L, q, v: L.Attention()([q, v], return_attention_scores=True))
for settings in ({}, {"use_scale": False}):
    case("AdditiveAttention", PAIR, lambda L, q, v, settings=settings: L.AdditiveAttention(**settings)([q, v]))

# Merging.
TWO = {"a": Input("N", 4, 5), "b": Input("N", 4, 5)}
THREE = {"a": X, "b": X, "c": X}
for name in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"):
    one(name, TWO)
    if name != "Subtract":
        one(name, THREE)
    one(name, {"a": Input("N", 4, 5), "b": Input("N", 1, 5)})
    case(name, {"a": PADDED, "b": PADDED}, lambda L, a, b, name=name: L.LSTM(3)(
        getattr(L, name)()([L.Masking()(a), L.Masking()(b)])))
one("Add", {"a": Input("N", 4, 5), "b": Input("N", 5)})
one("Add", {"a": Input("N", 4, dtype="int32"), "b": Input("N", 4, dtype="int32")}, "3", dtype="int32")
one("Concatenate", TWO)
one("Concatenate", {"a": Input("N", "T", 5), "b": Input("N", "S", 5)}, axis=1)
case("Concatenate", {"a": PADDED, "b": PADDED}, lambda L, a, b: L.LSTM(3)(L.Concatenate()([L.Masking()(a), L.Masking()(b)])))
case("Concatenate", {"a": PADDED, "b": STEPS}, lambda L, a, b: L.LSTM(3)(L.Concatenate(axis=1)([L.Masking()(a), b])))
one("Dot", {"a": X, "b": X}, axes=1)
one("Dot", {"a": Input("N", 4, 5), "b": Input("N", 5, 3)}, axes=(2, 1))
one("Dot", {"a": Input("N", 4, 5), "b": Input("N", 3, 5)}, axes=2, normalize=True)
one("Dot", {"a": Input("N", 4, 5), "b": Input("N", 5)}, axes=(2, 1))

# Reshaping.
one("Flatten", IMAGE)
one("Flatten", Input("N"))
one("Flatten", FIRST, data_format="channels_first")
case("Flatten", SEQ, lambda L, x: L.Flatten()(L.LSTM(4)(x)))
one("Reshape", IMAGE, target_shape=(-1, 4))
one("Reshape", X, target_shape=(2, 3))
one("Reshape", FREE_LINE, target_shape=(-1, 2))
one("Permute", IMAGE, dims=(3, 1, 2))
one("RepeatVector", X, n=3)
one("Cropping1D", LINE, cropping=(1, 2))
one("Cropping1D", FREE_LINE, cropping=0)
one("Cropping2D", IMAGE, cropping=((1, 0), (2, 3)))
one("Cropping2D", FIRST, cropping=2, data_format="channels_first")
one("Cropping3D", BOX, cropping=1)
one("ZeroPadding1D", LINE, padding=2)
one("ZeroPadding1D", FREE_LINE, padding=(0, 3))
one("ZeroPadding2D", IMAGE, padding=(1, 2))
one("ZeroPadding2D", FIRST, padding=((1, 0), (2, 3)), data_format="channels_first")
one("ZeroPadding3D", BOX, padding=((1, 0), (0, 2), (1, 1)))
one("UpSampling1D", LINE, size=3)
one("UpSampling2D", IMAGE, size=(2, 3))
one("UpSampling2D", IMAGE, interpolation="bilinear")
one("UpSampling2D", IMAGE, "3", interpolation="bicubic")
one("UpSampling2D", FREE_IMAGE)
one("UpSampling3D", BOX, size=(1, 2, 2))
one("Identity", X)
one("Masking", PADDED)
case("Masking", PADDED, lambda L, x: L.GRU(3)(L.Masking(mask_value=0.0)(x)))

# Nothing in inference.
for name, settings in (("Dropout", {"rate": 0.3}), ("AlphaDropout", {"rate": 0.3}), ("GaussianDropout", {"rate": 0.3}),
                       ("GaussianNoise", {"stddev": 0.3}), ("ActivityRegularization", {"l2": 0.1})):
    one(name, X, **settings)
one("SpatialDropout1D", LINE, rate=0.3)
one("SpatialDropout2D", IMAGE, rate=0.3)
one("SpatialDropout3D", BOX, rate=0.3)


# Preparing numbers and images.
one("Rescaling", X, scale=0.5, offset=-1.0)
one("Rescaling", IMAGE, scale=[0.5, 1.0, 2.0, 3.0], offset=[0.0, 1.0, 0.0, 2.0])
one("Normalization", X, mean=[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], variance=[1.0, 4.0, 9.0, 2.0, 3.0, 0.5])
one("Normalization", X, axis=None, mean=1.0, variance=4.0)
one("Normalization", IMAGE, axis=(1, 3))
one("Normalization", X)
one("Normalization", STEPS, "3", invert=True)
CODES = Input("N", 5, dtype="int32", below=7)
for mode in ("multi_hot", "count", "one_hot"):
    one("CategoryEncoding", CODES, "3" if mode == "one_hot" else "23", num_tokens=7, output_mode=mode)
one("CategoryEncoding", Input("N", 1, dtype="int64", below=7), num_tokens=7, output_mode="one_hot")
for mode in ("int", "multi_hot", "count", "one_hot"):
    one("Discretization", Input("N", 5), "3" if mode == "one_hot" else "23", bin_boundaries=[-1.0, 0.0, 0.5], output_mode=mode)
for mode in ("nearest", "bilinear"):
    one("Resizing", IMAGE, height=6, width=13, interpolation=mode)
one("Resizing", IMAGE, height=5, width=3, crop_to_aspect_ratio=True)
one("Resizing", IMAGE, "3", height=5, width=3, pad_to_aspect_ratio=True, fill_value=0.5)
one("Resizing", FIRST, "3", height=5, width=3, data_format="channels_first")
one("CenterCrop", IMAGE, height=4, width=5)
one("CenterCrop", IMAGE, height=12, width=5)
one("RandomCrop", IMAGE, height=4, width=5)
one("AutoContrast", Input("N", 4, 5, 3), "3", value_range=(-2.0, 2.0))
for name, settings in (
        ("RandomBrightness", {"factor": 0.2}), ("RandomContrast", {"factor": 0.2}), ("RandomFlip", {}),
        ("RandomRotation", {"factor": 0.2}), ("RandomZoom", {"height_factor": 0.2}),
        ("RandomTranslation", {"height_factor": 0.2, "width_factor": 0.2})):
    one(name, Input("N", 8, 8, 3), **settings)
for name, settings in (
        ("AugMix", {}), ("CutMix", {}), ("Equalization", {}), ("MixUp", {}), ("RandAugment", {}),
        ("RandomColorDegeneration", {"factor": 0.2}), ("RandomColorJitter", {"brightness_factor": 0.2}),
        ("RandomElasticTransform", {}), ("RandomErasing", {}), ("RandomGaussianBlur", {}), ("RandomGrayscale", {}),
        ("RandomHue", {"factor": 0.2}), ("RandomInvert", {}), ("RandomPerspective", {}), ("RandomPosterization", {"factor": 4}),
        ("RandomSaturation", {"factor": 0.2}), ("RandomSharpness", {"factor": 0.2}), ("RandomShear", {"x_factor": 0.2}),
        ("Solarization", {})):
    one(name, Input("N", 8, 8, 3), "3", **settings)
for name in ("RandomHeight", "RandomWidth"):
    one(name, Input("N", 8, 8, 3), "2", factor=0.2)
case("Pipeline", IMAGE, lambda L, x: L.Pipeline([L.Rescaling(0.5), L.RandomFlip(), L.Resizing(4, 5)])(x), "3")


# Functions between layers.
def functions(L, x, y):
    ops = L.package.ops
    z = 2.0 - (x + y * 2.0 - 1.0) / (y * y + 3.0)
    z = ops.squeeze(ops.expand_dims(ops.transpose(ops.reshape(ops.mean(z ** 2, axis=1), (-1, 2, 3)), (0, 2, 1)), 1), 1)
    w = ops.exp(ops.relu(ops.concatenate([x[:, 0:2], x[:, 1:3]], axis=1)))
    v = ops.maximum(ops.sqrt(ops.abs(ops.sum(x, axis=[1, 2], keepdims=True))), 1.0)
    first, second = ops.split(x, 2, axis=-1)
    return [L.Dense(3, name="a")(z), L.Identity(name="b")(ops.matmul(w, ops.transpose(y, (0, 2, 1)))),
            L.Identity(name="c")(v), L.Identity(name="d")(ops.where(x > 0, x, y)),
            L.Identity(name="e")(first * second), L.Identity(name="f")(ops.softmax(-x[:, -1])),
            L.Identity(name="g")(ops.stack([first[..., 0], second[..., 1]], axis=1))]
case("Functional", {"x": Input("N", 4, 6), "y": Input("N", 4, 6)}, functions, "3")

# Models of several layers.
def shared(L, a, b):
    layer = L.Dense(4, activation="relu", name="shared")
    return [L.Dense(2, name="left")(layer(a)), L.Dense(3, name="right")(L.Concatenate()([layer(b), layer(a)]))]
case("Functional", {"a": X, "b": X}, shared)


def nested(L, x):
    package = L.package
    inner = package.Sequential([L.Dense(5, activation="relu"), L.BatchNormalization(), L.Dropout(0.2), L.Dense(6)], name="inner")
    given = package.Input((6,), name="given")
    block = package.Model(given, [L.Add()([given, inner(given)]), L.BatchNormalization()(given)], name="block")
    first, second = block(x)
    third, fourth = block(second)
    return L.Concatenate()([first, third, L.Dense(2, trainable=False)(fourth)])
case("Functional", X, nested)
case("Sequential", X, lambda L, x: L.package.Sequential([L.Dense(3), L.ReLU(), L.Dense(2)])(x))
case("Functional", {"x": X, "y": Input("N", 3, dtype="bool")}, lambda L, x, y: [
    L.Dense(2, name="out")(x), L.Activation("linear", name="truth")(y)], "3")


def rejected_names(L, x):
    a, h, c = L.LSTM(3, return_state=True, name="states")(x)
    return [a, h, c]
case("Functional", SEQ, rejected_names)
