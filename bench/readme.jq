# SPDX-License-Identifier: Apache-2.0
# Of a report, what README.md says of it: which engines, and a table of some models. `./dev performance`
# puts it there. Which results count is as in tools/bench/summary.cpp: none that differ.

# Three digits that count, and all of the whole part.
def short:
  if . == null then "-" else
    ([0, 2 - (log10 | floor)] | max) as $digits |
    (. * pow(10; $digits) | round) / pow(10; $digits) | tostring
  end;

# The fastest of those for which `which` holds, as {us, engine}; null if there is none.
def fastest(run; mode; which):
  [run.results[] | select(.agreement != "differs" and mode != null and (.engine | which)) |
    {us: (mode | .median_us), engine}] | min_by(.us);

def cells(run; mode):
  fastest(run; mode; startswith("ingot")) as $ours |
  fastest(run; mode; startswith("ingot") | not) as $peer |
  ($ours.us | short) + " | " + ($peer.us | short) + (if $peer then " (\($peer.engine))" else "" end);

# What each model is, where its name does not say so.
{"ff_25_128-tf": "the study, 25 layers of 128"} as $names |
["ele-pfid-exteta1", "l1-tau-3layer", "hgcal-encoder-2e", "trackdnn-ckf-2021", "ff_25_128-tf",
 "deeptau-2018v2p5-inner", "displaced-regional", "particlenet-ak4-hlt", "deepmet",
 "deepboostedjet-full", "deeptau-2018v2p5-core", "deepcore-2017"] as $shown |
{"onnxruntime": "ONNX Runtime", "openvino": "OpenVINO", "tensorflow": "TensorFlow", "xla": "XLA AOT",
 "iree": "IREE"} as $titles |

[.engines[] | select(.name | startswith("ingot") | not) |
  "\($titles[.name] // .name) \(.version | split(".")[:2] | join("."))"] as $engines |
[.models[] | select(.runs | length > 0)] as $measured |
([$measured[] | select(.name | startswith("ff_"))] | length) as $study |

"Median microseconds per call, \(.date[:10]), one thread, on one core of \(.machine.cores) (\(.machine.cpu)): Ingot's better variant, and the",
"fastest of \($engines[:-1] | join(", ")) and \($engines[-1]) at their best settings. All have the",
"model open in one process and take turns (`./dev peers-setup`, `./dev performance`). Hot is the same call again and again; cold",
"is with empty caches, as in a program that runs thirty models.",
"",
"| Model | weights, kB | hot, N = 1 | best other | cold, N = 1 | best other | hot, N = 16 | best other | cold, N = 16 | best other |",
"|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
($shown[] as $name | $measured[] | select(.name == $name) |
  first(.runs[] | select(.events == 1)) as $one | first(.runs[] | select(.events == 16)) as $many |
  "| \($names[$name] // $name) | \(.weights_bytes / 1000 | short) | \(cells($one; .hot)) | \(cells($one; .cold)) | \(cells($many; .hot)) | \(cells($many; .cold)) |"),
"",
"Over \(($measured | length) - $study) models of particle physics and the CMS study's \($study) networks, the fastest other engine takes this many times as long (geometric means):",
""
