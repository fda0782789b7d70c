/**
 * Is this adapter fit to be trusted? Drivers that compute wrong results in silence exist, so the
 * kernels whose results are published run once per adapter and driver on inputs with known answers.
 */
import loopSource from "../../kernels/self_test.wgsl" with { type: "text" };
import { Accumulators, seenBytes } from "./accumulators.ts";
import type { Gpu } from "./device.ts";
import { recordMatMul } from "./matmul.ts";
import { type MatrixSource, uploadMatrix } from "./matrix.ts";
import { GpuError } from "./memory.ts";
import { allocateRows, readRows, writeRows } from "./rows.ts";
import { TopK } from "./topk.ts";

/** Remembers verdicts between runs; a file on the command line, storage in a browser. */
export interface ByteStore {
  get(key: string): Promise<Uint8Array | undefined>;
  set(key: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
}

/** What the self-test found out. */
export interface SelfTest {
  /** Loops run on beyond 65,535 rounds. Where not, texts longer than that cannot be attended to. */
  readonly longLoops: boolean;
}

/** Changes when the test or the kernels it covers change in a way that matters to its verdict. */
const VERSION = 2;

/**
 * Runs the self-test, or recalls its verdict for this adapter and driver.
 *
 * @param driver name and version of the driver, as far as it is known
 * @throws GpuError when the adapter computes wrong results; nothing is remembered then
 */
export async function selfTest(gpu: Gpu, driver: string, store?: ByteStore): Promise<SelfTest> {
  const key = JSON.stringify(["self-test", VERSION, gpu.identity, gpu.subgroupLanes ?? 0, driver]);
  const known = await store?.get(key);
  if (known) return JSON.parse(new TextDecoder().decode(known)) as SelfTest;
  for (const tokens of [1, 3, 7, 19]) await testLinear(gpu, tokens);
  await testTopKAndCounts(gpu);
  const verdict = { longLoops: await longLoopsRun(gpu) };
  await store?.set(key, new TextEncoder().encode(JSON.stringify(verdict)));
  return verdict;
}

function fail(gpu: Gpu, what: string): never {
  throw new GpuError(
    `the self-test of ${gpu.identity.description} failed: ${what} came out wrong, so no result of this ` +
      `adapter can be trusted; update its driver or set BABELSCOPE_ADAPTER=software`,
  );
}

/** Small whole numbers, whose sums are exact in f32. */
function digits(count: number, seed: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: count }, (_, i) => ((i + seed) * 7919) % 13 - 6);
}

/** A product of so many rows: products of few rows have kernels of their own. */
async function testLinear(gpu: Gpu, tokens: number): Promise<void> {
  const [inputs, outputs] = [100, 150];
  const [x, w] = [digits(tokens * inputs, 1), digits(outputs * inputs, 5)];
  const bf16 = Uint16Array.from(new Uint32Array(w.buffer), (bits) => bits >>> 16);
  const bytes = new Uint8Array(bf16.buffer);
  const source: MatrixSource = {
    name: "self-test weights",
    rows: outputs,
    columns: inputs,
    type: "bf16",
    read: (from, to) => Promise.resolve(bytes.slice(from * inputs * 2, to * inputs * 2)),
  };
  using matrix = await uploadMatrix(gpu, source);
  using input = allocateRows(gpu, "self-test input", tokens, inputs);
  using output = allocateRows(gpu, "self-test output", tokens, outputs);
  writeRows(gpu, input, x);
  const recorder = gpu.recorder();
  recordMatMul(gpu, recorder, input, matrix, output);
  recorder.submit();
  const y = await readRows(gpu, output);
  const right = y.every((value, at) => {
    const [m, n] = [Math.floor(at / outputs), at % outputs];
    let sum = 0;
    for (let k = 0; k < inputs; k++) sum += x[m * inputs + k] * w[n * inputs + k];
    return value === sum;
  });
  if (!right) fail(gpu, "a matrix product");
}

/** Column c of each of the rows holds a permutation of 1 … width, so the TopK is known. */
async function testTopKAndCounts(gpu: Gpu): Promise<void> {
  const [tokens, width, k] = [10, 700, 5];
  const values = Float32Array.from(
    { length: tokens * width },
    (_, at) => ((at % width) * 3 + Math.floor(at / width)) % width + 1,
  );
  using pre = allocateRows(gpu, "self-test activations", tokens, width);
  using topk = new TopK(gpu, k, tokens, pre.stride);
  using found = gpu.buffer("self-test TopK", tokens * k * 4);
  using indices = gpu.buffer("self-test TopK", tokens * k * 4);
  using example = gpu.bufferOf("self-test texts", new Uint32Array(tokens));
  using seen = gpu.buffer("self-test seen", seenBytes(1, width));
  using accumulators = new Accumulators(gpu, width);
  writeRows(gpu, pre, values);
  const entries = { values: { buffer: found.resource }, indices: { buffer: indices.resource } };
  const texts = { example: example.resource };
  const recorder = gpu.recorder();
  topk.record(recorder, pre, 0, entries);
  accumulators.recordTopK(recorder, entries, tokens, k, texts, seen.resource, false);
  recorder.submit();
  const top = new Uint32Array(await gpu.read(indices.resource, 0, tokens * k * 4));
  const counts = await accumulators.take();
  const sums = new BigInt64Array(width);
  const fired = new Uint32Array(width);
  for (const [slot, index] of top.entries()) {
    const value = values[Math.floor(slot / k) * width + index];
    if (value !== width - slot % k) fail(gpu, "a TopK");
    sums[index] += BigInt(value) << 24n;
    fired[index]++;
  }
  const right = sums.every((sum, i) => sum === counts.sum[i]) &&
    fired.every((count, i) => count === counts.firedTokens[i]) &&
    fired.every((count, i) => Math.min(count, 1) === counts.firedExamples[i]);
  if (!right) fail(gpu, "counting");
}

async function longLoopsRun(gpu: Gpu): Promise<boolean> {
  const ROUNDS = 70_000;
  using ran = gpu.buffer("self-test loop", 4);
  const recorder = gpu.recorder();
  recorder.dispatch(gpu.kernel("self_test", loopSource, { ROUNDS }), [ran.resource], [], [1, 1]);
  recorder.submit();
  const [rounds] = new Uint32Array(await gpu.read(ran.resource, 0, 4));
  return rounds === ROUNDS;
}
