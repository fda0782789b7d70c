"""What a peer speaks with bench/peer.ts: JSON, one value per line, over stdin and stdout.

The peer first says `{"peer": description}`, or `{"missing": sentence}` and ends. Then it answers
    {"prepare": {"task": name, …}}  with {"ready": true}: data is made, nothing is timed
    {"repeats": n}                  with {"cpu_ms": …, "wall_ms": …} of n executions of that task
and ends when stdin does.
"""

import json
import sys
import time
from collections.abc import Callable

# One execution of a prepared task.
Execute = Callable[[], object]


def say(answer: dict) -> None:
    print(json.dumps(answer), flush=True)


def serve(description: str, tasks: dict[str, Callable[..., Execute]]) -> None:
    """Answers until stdin ends. `tasks` make, from the fields of a `prepare`, what is then timed."""
    say({"peer": description})
    execute: Execute | None = None
    for line in sys.stdin:
        request = json.loads(line)
        if "prepare" in request:
            options = request["prepare"]
            execute = None  # The previous task's memory goes before the next one's comes.
            execute = tasks[options.pop("task")](**options)
            say({"ready": True})
        else:
            say(timed(execute, request["repeats"]))


def timed(execute: Execute, repeats: int) -> dict:
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(repeats):
        execute()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return {"cpu_ms": 1000 * cpu, "wall_ms": 1000 * wall}
