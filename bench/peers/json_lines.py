"""What a peer speaks with bench/peer.ts: JSON, one value per line, over stdin and stdout.

The peer first says `{"peer": description}` and what else there is to know of it, or
`{"missing": sentence}` and ends. Then it answers
    {"prepare": [{"task": name, …}, …]}  with {"ready": true}: data is made, nothing is timed
    {"run": i, "repeats": n}  with {"cpu_ms": …, "wall_ms": …} of n executions of task i
and ends when stdin does.
"""

import json
import sys
import time
from collections.abc import Callable

# One execution of a prepared task; it may leave work behind that still runs.
Execute = Callable[[], object]

# Waits for work that executions have left behind.
Settle = Callable[[], None]


def say(answer: dict) -> None:
    print(json.dumps(answer), flush=True)


def serve(
    description: str,
    tasks: dict[str, Callable[..., Execute]],
    settle: Settle = lambda: None,
    **facts: str,
) -> None:
    """Answers until stdin ends. `tasks` make, from the fields of a `prepare`, what is then timed."""
    say({"peer": description, **facts})
    prepared: list[Execute] = []
    for line in sys.stdin:
        request = json.loads(line)
        if "prepare" in request:
            prepared.clear()  # The memory of the tasks before goes before new memory comes.
            for options in request["prepare"]:
                prepared.append(tasks[options.pop("task")](**options))
            say({"ready": True})
        else:
            say(timed(prepared[request["run"]], request["repeats"], settle))


def timed(execute: Execute, repeats: int, settle: Settle) -> dict:
    settle()
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(repeats):
        execute()
    settle()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return {"cpu_ms": 1000 * cpu, "wall_ms": 1000 * wall}
