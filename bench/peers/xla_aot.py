# SPDX-License-Identifier: Apache-2.0
"""Part of prepare.py: a GraphDef of fixed shapes through XLA's ahead-of-time compiler, to a shared
object with the few functions that xla.cpp calls.

What `saved_model_cli aot_compile_cpu` does, but without a SavedModel around the graph."""
import os
import subprocess
import sys

WRAPPER = """
#include "net.h"

extern "C" {
void* ingot_xla_open() { return new Net(Net::AllocMode::RESULTS_PROFILES_AND_TEMPS_ONLY); }
void ingot_xla_close(void* net) { delete static_cast<Net*>(net); }
int ingot_xla_argument(void* net, unsigned i, const void* data, unsigned long bytes) {
  Net* const self = static_cast<Net*>(net);
  const int index = self->LookupArgIndex("feed_x" + std::to_string(i));
  // An input that nothing depends on is no argument.
  if (index < 0) return 0;
  if (static_cast<unsigned long>(self->arg_size(index)) != bytes) return 1;
  self->set_arg_data(index, data);
  return 0;
}
int ingot_xla_run(void* net) { return static_cast<Net*>(net)->Run() ? 0 : 1; }
const void* ingot_xla_result(void* net, unsigned i, unsigned long* bytes) {
  Net* const self = static_cast<Net*>(net);
  const int index = self->LookupResultIndex("fetch_y" + std::to_string(i));
  if (index < 0) return nullptr;
  *bytes = self->result_size(index);
  return self->result_data(index);
}
}
"""


def build(request, tools):
    # Read once, by the first use of XLA.
    os.environ["XLA_FLAGS"] = request["options"]["xla_flags"]
    import graphdef
    graph = graphdef.load(request)
    # graphdef has put a stand-in for the package where the package is wanted now.
    for name in [n for n in sys.modules if n == "tensorflow" or n.startswith("tensorflow.")]:
        del sys.modules[name]
    serialized = graph.SerializeToString()
    compile_graph(serialized, request, tools["target-cpu"])
    link(tools["xla-runtime"], tools["xla-header"])
    return "net.so"


def compile_graph(serialized, request, cpu):
    import tensorflow as tf
    from tensorflow.core.protobuf import meta_graph_pb2
    from tensorflow.python.tools import saved_model_aot_compile

    meta = meta_graph_pb2.MetaGraphDef()
    meta.graph_def.ParseFromString(serialized)
    meta.meta_info_def.tags.append("serve")
    signature = meta.signature_def["net"]
    for letter, infos, ports in (("x", signature.inputs, request["inputs"]),
                                 ("y", signature.outputs, request["outputs"])):
        for i, port in enumerate(ports):
            info = infos[f"{letter}{i}"]
            info.name = port["name"] if ":" in port["name"] else port["name"] + ":0"
            info.dtype = tf.dtypes.as_dtype(port["dtype"]).as_datatype_enum
            for size in port["shape"]:
                info.tensor_shape.dim.add(size=size)
    # Its temporary folder; the cache must not depend on what else runs.
    os.environ["TEST_TMPDIR"] = os.path.join(os.getcwd(), "temporary")
    saved_model_aot_compile.aot_compile_cpu_meta_graph_def(
        checkpoint_path=None, meta_graph_def=meta, output_prefix="./net",
        signature_def_key="net", cpp_class="Net", target_triple="x86_64-pc-linux",
        target_cpu=cpu, multithreading=False)


def link(runtime, header):
    import importlib.util
    package = os.path.dirname(importlib.util.find_spec("tensorflow").origin)
    with open("wrapper.cpp", "w") as file:
        file.write(WRAPPER)
    with open("exports", "w") as file:
        file.write("{ global: ingot_xla_*; local: *; };\n")
    objects = [o for o in ("net.o", "net_metadata.o", "net_constants.o") if os.path.exists(o)]
    # Without unique symbols, or all models in a process would share what is the first one's.
    done = subprocess.run(
        ["g++", "-std=c++17", "-O2", "-march=native", "-DNDEBUG", "-w", "-fPIC", "-fno-gnu-unique",
         "-include", header, "-shared", "-I.", f"-I{package}/include", "wrapper.cpp", *objects,
         runtime,
         f"{package}/libtensorflow_framework.so.2", f"-Wl,-rpath,{package}",
         "-Wl,--version-script=exports", "-Wl,--no-undefined", "-Wl,-Bsymbolic", "-o", "net.so"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        print(done.stdout)
        lines = [line for line in done.stdout.splitlines() if "error" in line or "undefined" in line]
        sys.exit("g++: " + (lines or ["cannot build the object"])[0])
    for name in [*objects, "net.h", "wrapper.cpp", "exports", "net_makefile.inc"]:
        if os.path.exists(name):
            os.remove(name)
    import shutil
    shutil.rmtree("temporary", ignore_errors=True)
