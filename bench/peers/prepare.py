#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes of a model and its sizes the file that an engine opens: prepare.py PEERS REQUEST ANSWER.

PEERS is peers.json, as setup.py writes it. REQUEST is JSON: engine, model (a file), inputs (name,
dtype, shape, and the shape as declared, with names where it is free), outputs (name, dtype, shape),
constants (placeholders that are no inputs, with their values as text) and options (`prepare` of the
engine's settings). ANSWER is JSON with `path`; a failure is an exit status of 1 with its reason as
the last line of stderr. Both are kept in a folder, under a hash of all that they depend on, so that
the second time costs nothing, failures included. INGOT_PEERS_CACHE names another folder,
INGOT_PEERS_SECONDS another limit than 300.
"""
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

TIME_LIMIT = float(os.environ.get("INGOT_PEERS_SECONDS", 300))
REVISION = 1  # of what convert.py makes; a new one makes all files anew


def main(peers_file, request_file, answer_file):
    with open(request_file) as file:
        request = json.load(file)
    path = obtain(os.path.abspath(peers_file), request)
    with open(answer_file, "w") as file:
        json.dump({"path": path}, file)


def obtain(peers_file, request):
    """The path of the file that was made for the request, now or earlier."""
    with open(peers_file) as file:
        peers = json.load(file)
    if request["engine"] in ("tensorflow", "xla") and is_onnx(request["model"]):
        sys.exit("reads no ONNX")
    cache = os.environ.get("INGOT_PEERS_CACHE") or os.path.join(os.path.dirname(peers_file), "cache")
    folder = os.path.join(os.path.abspath(cache), request["engine"], key(peers, request))
    result = read_result(folder) or make(peers_file, request, folder)
    if "error" in result:
        sys.exit(result["error"])
    return os.path.join(folder, result["path"])


def is_onnx(path):
    """A ModelProto begins with its IR version (field 1, a number), a GraphDef with a node (field 1,
    bytes)."""
    with open(path, "rb") as file:
        return file.read(1) != b"\n"


def key(peers, request):
    fixed = request["options"].get("shapes", "fixed") == "fixed"
    depends = {
        "revision": REVISION, "versions": peers["versions"][request["engine"]],
        "host": peers["host"], "options": request["options"], "constants": request["constants"],
        "inputs": [[i["name"], i["dtype"], i["shape"] if fixed else nameless(i["declared"])]
                   for i in request["inputs"]],
        "outputs": [[o["name"], o["shape"] if fixed else None] for o in request["outputs"]],
    }
    digest = hashlib.sha256(json.dumps(depends, sort_keys=True).encode())
    with open(request["model"], "rb") as file:
        content = file.read()
    digest.update(content)
    if b"location" in content:  # an ONNX file may have its tensors in files beside it
        for entry in sorted(os.scandir(os.path.dirname(request["model"])), key=lambda e: e.name):
            if entry.is_file():
                state = entry.stat()
                digest.update(f"{entry.name} {state.st_size} {state.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:32]


def nameless(shape):
    return [size if isinstance(size, int) else None for size in shape]


def read_result(folder):
    try:
        with open(os.path.join(folder, "result.json")) as file:
            return json.load(file)
    except FileNotFoundError:
        return None


def make(peers_file, request, folder):
    """In a folder that takes its name when it is complete, so that nobody finds half of one."""
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    work = tempfile.mkdtemp(prefix="making-", dir=os.path.dirname(folder))
    try:
        result = convert(peers_file, request, work)
        with open(os.path.join(work, "result.json"), "w") as file:
            json.dump(result, file)
        try:
            os.rename(work, folder)
        except OSError:  # somebody else was faster
            pass
        return read_result(folder) or result
    finally:
        shutil.rmtree(work, ignore_errors=True)


def convert(peers_file, request, work):
    with open(os.path.join(work, "request.json"), "w") as file:
        json.dump(request, file, indent=1)
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "convert.py")
    with open(os.path.join(work, "log"), "wb") as log:
        child = subprocess.Popen([sys.executable, script, peers_file], cwd=work,
                                 stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                 start_new_session=True)
        try:
            signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to stop"))
            status = child.wait(timeout=TIME_LIMIT)
        except subprocess.TimeoutExpired:
            return {"error": f"preparation took longer than {TIME_LIMIT:g} s"}
        finally:
            try:
                os.killpg(child.pid, signal.SIGKILL)  # whatever it started
            except ProcessLookupError:
                pass
            child.wait()
    answer = os.path.join(work, "answer.json")
    if status == 0 and os.path.exists(answer):
        with open(answer) as file:
            return json.load(file)
    with open(os.path.join(work, "log"), errors="replace") as file:
        lines = [line.strip() for line in file if line.strip()]
    reason = f"killed by signal {-status}" if status < 0 else lines[-1] if lines else "no reason"
    return {"error": reason[:500]}


if __name__ == "__main__":
    main(*sys.argv[1:4])
