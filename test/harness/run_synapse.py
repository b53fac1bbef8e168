"""Runs Synapse until it is stopped, or until whoever started it is gone (its end of stdin closes)."""

import os
import runpy
import sys
import threading


def leave_with_parent() -> None:
    while os.read(0, 1024):
        pass
    os._exit(1)


threading.Thread(target=leave_with_parent, daemon=True).start()
sys.argv = ["synapse", *sys.argv[1:]]
runpy.run_module("synapse.app.homeserver", run_name="__main__")
