"""Runs a program at a pseudo-terminal of its own, as a person does, and types what a script says.

Reads one JSON object from stdin: {argv, env, cwd, steps: [{until, type, kill?}], timeoutS}.
Writes one JSON object to stdout: {status, output, missed}.
`until` is waited for in what came since the step before; `type` is then typed as it is; `kill` names a signal to send.
"""
import json
import os
import pty
import select
import signal
import sys
import time

script = json.load(sys.stdin)
ends = time.monotonic() + script["timeoutS"]
pid, terminal = pty.fork()
if pid == 0:
    os.chdir(script["cwd"])
    os.execve(script["argv"][0], script["argv"], script["env"])

output = b""
begin = 0
missed = None
is_open = True


def read(for_s):
    global output, is_open
    ready, _, _ = select.select([terminal], [], [], for_s)
    if not ready:
        return
    try:
        data = os.read(terminal, 65536)
    except OSError:
        data = b""
    if data == b"":
        is_open = False
    output += data


for step in script["steps"]:
    until = step["until"].encode()
    while is_open and time.monotonic() < ends and until not in output[begin:]:
        read(0.1)
    at = output.find(until, begin)
    if at < 0:
        missed = step["until"]
        break
    begin = at + len(until)
    # A person types after having read.
    read(0.05)
    if step.get("kill"):
        os.kill(pid, getattr(signal, step["kill"]))
    if step.get("type"):
        os.write(terminal, step["type"].encode())

while is_open and missed is None and time.monotonic() < ends:
    read(0.1)
if is_open:
    missed = missed or "the end of the program"
    os.kill(pid, signal.SIGKILL)
_, status = os.waitpid(pid, 0)
json.dump({"status": os.waitstatus_to_exitcode(status), "output": output.decode(errors="replace"), "missed": missed}, sys.stdout)
