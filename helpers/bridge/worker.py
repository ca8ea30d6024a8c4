"""The script that a worker process runs: `helpers.bridge.lane` starts it.

Python compiles a script anew each time it runs; what is imported is compiled once. So there is no
more here than finds the rest.
"""

import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))
if sys.path and sys.path[0] == _HERE:  # the folder of a script, whose modules would hide others
    del sys.path[0]
sys.path.insert(0, os.path.dirname(os.path.dirname(_HERE)))

if __name__ == "__main__":
    from helpers.bridge.filling import run

    run(*map(int, sys.argv[1:]))
