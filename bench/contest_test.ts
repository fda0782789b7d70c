import assert from "node:assert/strict";
import { openTestGpu } from "../tests/support/gpu.ts";
import { withFolder } from "../tests/support/run.ts";
import { contest } from "./contest.ts";
import { linear } from "./linear.ts";
import { Peer } from "./peer.ts";
import type { Bench, PeerName } from "./section.ts";
import { WrongResult } from "./workload.ts";

/** A peer that takes a second for anything and writes what it is asked to a file. */
async function fakePeer(label: string, file: string, greeting: object): Promise<Peer> {
  const script = `
    echo '${JSON.stringify({ peer: label, ...greeting })}'
    while read -r request; do
      echo "$request" >> ${file}
      echo '{"cpu_ms":2000,"wall_ms":1000}'
    done`;
  return await Peer.start(label, ["sh", "-c", script]);
}

function benchOf(gpu: Bench["gpu"], peers: readonly [PeerName, Peer][]): Bench {
  return {
    gpu,
    peers: new Map(peers),
    python: "",
    peerEnvironment: {},
    quick: true,
    rounds: 1,
    folder: "",
    smollm2: undefined,
  };
}

const SHAPE = { tokens: 3, columns: 64, outs: 64 };

Deno.test("contest: on a processor every peer does the work once", async () => {
  await withFolder(async (folder) => {
    using gpu = await openTestGpu({ family: "texture" });
    await using numpy = await fakePeer("NumPy", `${folder}/numpy`, {});
    await using torch = await fakePeer("PyTorch", `${folder}/torch`, { cuda: "some GPU" });
    using product = await linear(gpu, SHAPE, "f32");
    const bench = benchOf(gpu, [["numpy", numpy], ["torch", torch]]);
    const { ours, works, peers } = await contest(bench, product, {
      peers: ["numpy", "torch"],
      works: [product],
    });
    assert.deepEqual(peers.map(({ name }) => name), ["NumPy", "PyTorch"]);
    assert.deepEqual(peers[0].rounds, [{ cpuMs: 2000, wallMs: 1000 }]);
    assert.deepEqual([ours.rounds.length, works.length], [1, 1]);
    const asked = await Deno.readTextFile(`${folder}/torch`);
    assert.match(asked, /^{"prepare":\[{"task":"linear","tokens":3,"columns":64,"outs":64}\]}\n/);
  });
});

Deno.test("contest: kernels for a GPU have to do with PyTorch on one, in three precisions", async () => {
  await withFolder(async (folder) => {
    using gpu = await openTestGpu({ family: "tile" });
    await using numpy = await fakePeer("NumPy", `${folder}/numpy`, {});
    await using torch = await fakePeer("PyTorch", `${folder}/torch`, { cuda: "some GPU" });
    using product = await linear(gpu, SHAPE, "f32");
    const bench = benchOf(gpu, [["numpy", numpy], ["torch", torch]]);
    const { peers } = await contest(bench, product, { peers: ["numpy", "torch"] });
    const precisions = ["f32", "TF32", "bf16"];
    assert.deepEqual(peers.map(({ name }) => name), precisions.map((p) => `PyTorch CUDA ${p}`));
    const asked = (await Deno.readTextFile(`${folder}/torch`)).split("\n");
    const tasks = precisions.map((precision) => ({
      ...{ task: "linear", ...SHAPE },
      ...{ device: "cuda", precision },
    }));
    assert.deepEqual(JSON.parse(asked[0]), { prepare: tasks });
    const runs = asked.map((line) => line.match(/"run":(\d)/)?.[1]).filter(Boolean);
    assert.deepEqual([...new Set(runs)], ["0", "1", "2"]);
  });
});

Deno.test("contest: times of wrong results are not told", async () => {
  using gpu = await openTestGpu();
  using product = await linear(gpu, SHAPE, "f32");
  const check = () => Promise.reject(new WrongResult("Y[0, 0] is 1, expected 2"));
  const wrong = contest(benchOf(gpu, []), { ...product, check }, { peers: [] });
  await assert.rejects(wrong, /^WrongResult: Y\[0, 0\] is 1, expected 2/);
});
