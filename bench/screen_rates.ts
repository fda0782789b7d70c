/** How fast the arithmetic of a screen is, beside the f32 product of the same size and tile. */
import productSource from "./screen_product.wgsl" with { type: "text" };
import { cpuUsage } from "node:process";
import { table } from "../lib/cli/table.ts";
import { Gpu } from "../lib/gpu/device.ts";
import { linear } from "./linear.ts";
import { alternate, type Contender, median, ratio } from "./measure.ts";
import { seededMatrix } from "./seeded_matrix.ts";
import { onGpu, WrongResult } from "./workload.ts";

const SHAPE = { tokens: 64, columns: 2048, outs: 2048 };
const ROUNDS = 5;

type ScreenType = "i8" | "f16";

/** Register tiles, TOKENS × OUTS, of which the fastest counts. */
const TILES = [[8, 8], [16, 8]] as const;

const LANES = 8;

/** Measures int8 and, where the adapter has it, f16 beside the f32 product with bf16 weights; a table. */
export async function measureRates(adapter: GPUAdapter): Promise<string> {
  const halves = adapter.features.has("shader-f16");
  using gpu = await Gpu.open(halves ? withF16(adapter) : adapter);
  using f32 = await linear(gpu, SHAPE, "bf16");
  using owned = new DisposableStack();
  const types: ScreenType[] = halves ? ["i8", "f16"] : ["i8"];
  const contenders: Contender[] = [{ ...onGpu(gpu, f32), name: "f32 product, bf16 weights" }];
  for (const type of types) {
    for (const tile of TILES) contenders.push(await screenProduct(gpu, type, tile, owned));
  }
  const series = await alternate(contenders, ROUNDS);
  await f32.check();
  const operations = 2 * SHAPE.tokens * SHAPE.columns * SHAPE.outs;
  return table(
    ["arithmetic", "CPU ms", "wall ms", "Gop / CPU s", "speed by CPU", "by wall"].map((
      header,
      i,
    ) => ({ header, align: i === 0 ? "left" : "right" })),
    series.map((each) => {
      const cpuMs = median(each.rounds.map((round) => round.cpuMs));
      return [
        each.name,
        cpuMs.toFixed(1),
        median(each.rounds.map((round) => round.wallMs)).toFixed(1),
        (operations / cpuMs / 1e6).toFixed(1),
        ratio(each, series[0], "cpuMs").median.toFixed(2),
        ratio(each, series[0], "wallMs").median.toFixed(2),
      ];
    }),
  );
}

/** The adapter, whose devices can compute in f16. */
function withF16(adapter: GPUAdapter): GPUAdapter {
  const { features, limits, info } = adapter;
  const requestDevice = (descriptor: GPUDeviceDescriptor = {}) =>
    adapter.requestDevice({
      ...descriptor,
      requiredFeatures: [...descriptor.requiredFeatures ?? [], "shader-f16"],
    });
  return Object.create(adapter, {
    features: { value: features },
    limits: { value: limits },
    info: { value: info },
    requestDevice: { value: requestDevice },
  });
}

/** The screen's product of random operands, once checked. */
async function screenProduct(
  gpu: Gpu,
  type: ScreenType,
  [tokenTile, outTile]: readonly [number, number],
  owned: DisposableStack,
): Promise<Contender> {
  const { tokens, columns, outs } = SHAPE;
  const perTexel = type === "i8" ? 16 : 8;
  const texels = columns / perTexel;
  const texture = (rows: number, panel: number, values: Uint8Array<ArrayBuffer>) => {
    const [width, height] = [panel * texels, rows / panel];
    const { resource } = owned.use(gpu.texture("screen operand", width, height, "rgba32uint"));
    const layout = { bytesPerRow: width * 16 };
    gpu.device.queue.writeTexture({ texture: resource }, values, layout, [width, height]);
    return resource;
  };
  const x = operand(type, tokens, columns, 0);
  const w = operand(type, outs, columns, tokens);
  const inputs = texture(tokens, 1, x.bytes);
  const weights = texture(outs, outTile, panels(w.bytes, outs, outTile));
  const output = owned.use(gpu.buffer("screen scores", tokens * outs * 4)).resource;
  const constants = { TYPE: type, TOKENS: tokenTile, OUTS: outTile, LANES };
  const kernel = gpu.kernel("screen_product", productSource, constants);
  const contender = {
    name: `${type}, tile ${tokenTile} × ${outTile}`,
    async run(repeats: number) {
      const wall = performance.now();
      const cpu = cpuUsage();
      const recorder = gpu.recorder();
      for (let i = 0; i < repeats; i++) {
        const groups = [tokens / tokenTile, outs / outTile / LANES] as const;
        recorder.dispatch(kernel, [inputs, weights, output], [outs, texels], groups);
      }
      recorder.submit();
      await gpu.settle();
      const { user, system } = cpuUsage(cpu);
      return { cpuMs: (user + system) / 1000, wallMs: performance.now() - wall };
    },
  };
  await contender.run(1);
  check(new Float32Array(await gpu.read(output, 0, tokens * outs * 4)), type, x.values, w.values);
  return contender;
}

/** A random matrix as the kernel stores it, and the numbers that this stands for. */
function operand(type: ScreenType, rows: number, columns: number, seed: number) {
  const matrix = seededMatrix("operand", "f32", rows, columns, seed);
  const values = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) values.set(matrix.row(row), row * columns);
  if (type === "f16") {
    const halves = Float16Array.from(values);
    return { values: Float32Array.from(halves), bytes: new Uint8Array(halves.buffer) };
  }
  // Uniform values of variance 1 / columns are at most √(3 / columns).
  const integers = Int8Array.from(values, (v) => Math.round(127 * v / Math.sqrt(3 / columns)));
  return { values: Float32Array.from(integers), bytes: new Uint8Array(integers.buffer) };
}

/** Rows as panels: a panel's texels k lie side by side. */
function panels(bytes: Uint8Array, rows: number, panel: number): Uint8Array<ArrayBuffer> {
  const texels = bytes.length / rows / 16;
  const laid = new Uint8Array(bytes.length);
  for (let row = 0; row < rows; row++) {
    for (let k = 0; k < texels; k++) {
      const from = (row * texels + k) * 16;
      const line = Math.floor(row / panel) * texels * panel;
      laid.set(bytes.subarray(from, from + 16), (line + k * panel + row % panel) * 16);
    }
  }
  return laid;
}

/** Integers are exact; f16 sums of four err by 4 · 2^-11 of their terms at most. */
function check(scores: Float32Array, type: ScreenType, x: Float32Array, w: Float32Array): void {
  const { columns, outs } = SHAPE;
  for (let at = 0; at < scores.length; at += 4099) {
    const [token, out] = [Math.floor(at / outs), at % outs];
    let [sum, sizes] = [0, 0];
    for (let i = 0; i < columns; i++) {
      const term = x[token * columns + i] * w[out * columns + i];
      sum += term;
      sizes += Math.abs(term);
    }
    if (!(Math.abs(scores[at] - sum) <= (type === "i8" ? 0 : 2 ** -8 * sizes))) {
      throw new WrongResult(`${type} score ${at} is ${scores[at]}, expected ${sum}`);
    }
  }
}
