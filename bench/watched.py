"""watched.py <folder> <program> [argument …]: runs a program and says what it took, as a line of JSON.

    {"code": …, "cpu_ms": …, "wall_ms": …, "resident_bytes": …, "disk_bytes": …, "said": …}

CPU time is that of all its threads, in user and system mode; `resident_bytes` is the most memory it
had resident at a time, as the kernel accounts it; `disk_bytes` the most that its output folder held;
`said` the end of its standard error. Only the standard library is needed.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time

INTERVAL_S = 0.1
LONGEST_SAID = 2000


def bytes_under(folder: str) -> int:
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(path, name)).st_size
            except FileNotFoundError:  # renamed meanwhile
                pass
    return total


def main() -> None:
    folder, *command = sys.argv[1:]
    most_on_disk = 0
    ended = threading.Event()

    def watch() -> None:
        nonlocal most_on_disk
        while not ended.wait(INTERVAL_S):
            most_on_disk = max(most_on_disk, bytes_under(folder))

    with tempfile.TemporaryFile() as errors:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors)
        watcher = threading.Thread(target=watch)
        watcher.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        ended.set()
        watcher.join()
        errors.seek(0)
        said = errors.read().decode(errors="replace")[-LONGEST_SAID:]

    # Linux counts in KiB, macOS in bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    print(
        json.dumps(
            {
                "code": os.waitstatus_to_exitcode(status),
                "cpu_ms": 1000 * (usage.ru_utime + usage.ru_stime),
                "wall_ms": 1000 * wall,
                "resident_bytes": unit * usage.ru_maxrss,
                "disk_bytes": max(most_on_disk, bytes_under(folder)),
                "said": said,
            }
        )
    )


main()
