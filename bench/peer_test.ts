import assert from "node:assert/strict";
import { NoPeer, Peer } from "./peer.ts";

/** A peer that answers with the given lines, then ends. */
const echo = (...lines: object[]) => [
  "sh",
  "-c",
  lines.map((line) => `echo '${JSON.stringify(line)}'; read request`).join("; "),
];

Deno.test("peer: CPU time of one thread, wall time of all cores", async () => {
  const script = `
    echo '{"peer":"shell 1.0","cuda":"some GPU"}'; read request
    echo '{"ready":true}'; read request
    echo '{"cpu_ms":'$OMP_NUM_THREADS'00,"wall_ms":'$OMP_NUM_THREADS'}'; read request`;
  await using peer = await Peer.start("shell", ["sh", "-c", script]);
  assert.equal(peer.description, "shell 1.0");
  assert.equal(peer.cuda, "some GPU");
  const contender = await peer.prepare({ task: "linear" });
  assert.equal(contender.name, "shell");
  const timing = await contender.run(3);
  assert.deepEqual(timing, { cpuMs: 100, wallMs: navigator.hardwareConcurrency });
});

Deno.test("peer: packages that are missing are named", async () => {
  const start = Peer.start("shell", echo({ missing: "Python lacks torch: pip install torch" }));
  await assert.rejects(start, new NoPeer("Python lacks torch: pip install torch"));
});

Deno.test("peer: a program that is missing is named", async () => {
  const start = Peer.start("none", ["/nowhere/python"]);
  await assert.rejects(start, /^InputError: there is no program "\/nowhere\/python"/);
});

Deno.test("peer: a program that dies is not waited for", async () => {
  await using peer = await Peer.start("shell", echo({ peer: "short-lived" }));
  await assert.rejects(peer.prepare({ task: "linear" }), NoPeer);
});
