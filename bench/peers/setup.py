# SPDX-License-Identifier: Apache-2.0
"""Writes FOLDER/peers.json from settings.yaml and what is installed: setup.py FOLDER TF2ONNX_PYTHON.

Run by `./dev peers-setup` with the Python of the engines' environment, when the plug-ins are built.
"""
import importlib.metadata
import json
import os
import platform
import subprocess
import sys

import yaml


def main(folder, tf2onnx_python):
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, "settings.yaml")) as file:
        settings = yaml.safe_load(file)
    programs = os.path.dirname(sys.executable)
    cpu = target_cpu()
    tf2onnx = subprocess.run(
        [tf2onnx_python, "-c", "from importlib.metadata import version as v;"
         "print(v('tf2onnx'), v('tensorflow-cpu'))"],
        stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    peers = {
        "prepare": [sys.executable, os.path.join(here, "prepare.py")],
        "host": {"cpu": cpu, "machine": platform.machine()},
        "tools": {
            "tf2onnx-python": os.path.abspath(tf2onnx_python),
            "iree-import-onnx": os.path.join(programs, "iree-import-onnx"),
            "iree-compile": os.path.join(programs, "iree-compile"),
            "xla-runtime": os.path.join(os.path.abspath(folder), "libxla_aot_runtime.a"),
            "xla-header": os.path.join(os.path.abspath(folder), "xla.h"),
            "target-cpu": cpu,
        },
        "versions": {key: versions(said, tf2onnx) for key, said in settings.items()}
        | {"tf2onnx": tf2onnx},
        "engines": [engine(folder, key, said) for key, said in settings.items()],
    }
    with open(os.path.join(folder, "peers.json"), "w") as file:
        json.dump(peers, file, indent=1)
        file.write("\n")
    for entry in peers["engines"]:
        print(f"{entry['key']}: {entry['title']} {entry['version']}")


def versions(said, tf2onnx):
    """Of all that a prepared file depends on."""
    return {name: tf2onnx if name == "tf2onnx" else importlib.metadata.version(name)
            for name in [said["package"], *said.get("with", [])]}


def engine(folder, key, said):
    plugin = f"{key}.so"
    if not os.path.exists(os.path.join(folder, plugin)):
        sys.exit(f"there is no {os.path.join(folder, plugin)}")
    common = {"programs": os.path.dirname(sys.executable)} | said.get("settings", {})
    return {"key": key, "title": said["title"], "plugin": plugin,
            "version": importlib.metadata.version(said["package"]),
            "summary": " ".join(said["summary"].split()),
            "environment": said.get("environment", {}),
            "candidates": [common | own for own in said.get("candidates", [{}])]}


def target_cpu():
    """LLVM's name of this CPU, which is also GCC's for all that matter here."""
    said = subprocess.run(["g++", "-march=native", "-Q", "--help=target"],
                          stdout=subprocess.PIPE, text=True, check=True).stdout
    for line in said.splitlines():
        words = line.split()
        if words[:1] == ["-march="]:
            name = words[1]
    # GCC 12 takes a newer Zen for Zen 3.
    if name.startswith("znver"):
        name = zen() or name
    return name


def zen():
    fields = {}
    with open("/proc/cpuinfo") as file:
        for line in file:
            if not line.strip():
                break
            name, _, value = line.partition(":")
            fields[name.strip()] = value.strip()
    if fields.get("vendor_id") != "AuthenticAMD":
        return None
    flags = fields["flags"].split()
    family = int(fields["cpu family"])
    if family >= 26:
        return "znver5"
    if family == 25:
        return "znver4" if "avx512f" in flags else "znver3"
    return None


if __name__ == "__main__":
    main(*sys.argv[1:3])
