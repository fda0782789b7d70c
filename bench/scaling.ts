/** How cost grows with tokens, latents and layers. */
import { Counter } from "../lib/count/counter.ts";
import { remark } from "../lib/cli/output.ts";
import { LANGUAGES } from "../lib/data/languages.ts";
import { WeightStore } from "../lib/gpu/weight_store.ts";
import { groupTexts, pack } from "../lib/nn/batch.ts";
import { resolveHookpoints } from "../lib/nn/hookpoints.ts";
import { Llama } from "../lib/nn/llama.ts";
import { impatientAccess } from "../lib/subject/access.ts";
import { EMBEDDED_MODEL } from "../lib/subject/open_model.ts";
import { EMBEDDED_SAES, openSaes } from "../lib/subject/open_saes.ts";
import { encode } from "./encode.ts";
import { markdownTable } from "./markdown_table.ts";
import { alternate, type Clock, type Contender, medianTime } from "./measure.ts";
import { declaration, LIMITS, openRunning } from "./running_model.ts";
import type { Bench, Section } from "./section.ts";
import { seededConfig, seededTensors } from "./seeded_model.ts";
import { type Cost, fixedAndUnitCost, growth } from "./slope.ts";
import { clockOf, onGpu, timed } from "./workload.ts";

/** One way for work to grow. */
interface Ladder extends Disposable {
  readonly name: string;
  readonly unit: string;
  readonly sizes: readonly number[];
  /** The work of one of the sizes. */
  at(size: number): Contender & Disposable;
}

/** Times each size is measured: what is fitted is a slope over all of them. */
const ROUNDS = 3;

const QUICK_RUN_MS = 100;

/** Measures the same work at growing sizes. */
export async function scalingSection(bench: Bench): Promise<Section> {
  const clock = clockOf(bench.gpu);
  const rows: string[][] = [];
  for (const open of [tokensLadder, latentsLadder, layersLadder]) {
    using ladder = await open(bench);
    remark(`Measuring ${ladder.name} …`);
    rows.push(row(ladder, await climb(bench, ladder, clock)));
  }
  const time = clock === "cpuMs" ? "CPU ms" : "wall ms";
  const columns = ["work", "sizes", time, "slope ± SE", "fixed cost, ms", "per unit, ms"];
  return {
    title: "Cost as work grows",
    lines: [
      "- slope: of log time on log size by least squares; 1 is linear, and a fixed cost lowers it",
      "- fixed cost and cost per unit: the line that errs least in relative terms",
      "",
      ...markdownTable(columns.map((header) => ({ header })), rows),
    ],
  };
}

async function climb(bench: Bench, ladder: Ladder, clock: Clock): Promise<Cost[]> {
  using stack = new DisposableStack();
  const contenders = ladder.sizes.map((size) => stack.use(ladder.at(size)));
  const rounds = Math.min(bench.rounds, ROUNDS);
  const series = await alternate(contenders, rounds, bench.quick ? QUICK_RUN_MS : undefined);
  return series.map((each, i) => ({ size: ladder.sizes[i], cost: medianTime(each, clock) }));
}

function row({ name, unit, sizes }: Ladder, costs: readonly Cost[]): string[] {
  const { slope, standardError } = growth(costs);
  const { fixed, unit: each } = fixedAndUnitCost(costs);
  const count = (size: number) => size.toLocaleString("en");
  return [
    name,
    `${sizes.map(count).join(" ")} ${unit}`,
    costs.map(({ cost }) => cost.toPrecision(3)).join(" "),
    `${slope.toFixed(3)} ± ${standardError.toFixed(3)}`,
    fixed.toPrecision(2),
    each.toPrecision(3),
  ];
}

/** ×1 to ×`most` of a size, by factors of two; the ends and the middle in a quick bench. */
function multiples(first: number, most: number, quick: boolean): number[] {
  const doublings = Math.log2(most);
  const steps = Array.from({ length: doublings + 1 }, (_, i) => i);
  const chosen = quick ? [0, Math.floor(doublings / 2), doublings] : steps;
  return chosen.map((step) => first * 2 ** step);
}

/** The embedded model with its SAEs: texts to counts. */
async function tokensLadder({ gpu, quick }: Bench): Promise<Ladder> {
  using stack = new DisposableStack();
  const { model, llama, store } = stack.use(await openRunning(gpu, EMBEDDED_MODEL));
  const { layers } = model.config;
  const { saes } = stack.use(await openSaes([EMBEDDED_SAES], [], layers, impatientAccess()));
  const counter = stack.use(new Counter(gpu, llama, store, saes, LIMITS));
  const texts = await declaration(model.tokenizer, LANGUAGES.map(({ code }) => code));
  const owned = stack.move();
  return {
    name: "texts → counts, embedded model with 6 SAEs",
    unit: "tokens",
    sizes: multiples(quick ? 64 : 256, 64, quick),
    at(tokens) {
      const groups = [...groupTexts(firstTokens(texts, tokens).map((ids) => ({ ids })), LIMITS)];
      return {
        name: `${tokens}`,
        run: (repeats) =>
          timed(async () => {
            for (let i = 0; i < repeats; i++) {
              for (const group of groups) await counter.add(group.map(({ ids }) => ids));
            }
          }),
        [Symbol.dispose]: () => {},
      };
    },
    [Symbol.dispose]: () => owned[Symbol.dispose](),
  };
}

/** Whole texts, and a part of the last, until there are so many tokens. */
function firstTokens(texts: readonly Uint32Array[], tokens: number): Uint32Array[] {
  const chosen: Uint32Array[] = [];
  for (let left = tokens, i = 0; left > 0; i++) {
    const text = texts[i % texts.length].subarray(0, left);
    chosen.push(text);
    left -= text.length;
  }
  return chosen;
}

/** A random SAE on a block of 256 tokens. */
function latentsLadder({ gpu, quick }: Bench): Ladder {
  const columns = quick ? 256 : 1024;
  return {
    name: `SAE encode + TopK 32, 256 × ${columns}, bf16`,
    unit: "latents",
    sizes: multiples(quick ? 4096 : 8192, 16, quick),
    at(latents) {
      const workload = encode(gpu, { tokens: 256, columns, latents, k: 32 }, "bf16");
      return { ...onGpu(gpu, workload), [Symbol.dispose]: () => workload[Symbol.dispose]() };
    },
    [Symbol.dispose]: () => {},
  };
}

const LAYERS = 16;

/** A random model whose pass stops after the hookpoint in use. */
function layersLadder({ gpu, quick }: Bench): Ladder {
  using stack = new DisposableStack();
  const hiddenSize = quick ? 256 : 512;
  const config = seededConfig({
    ...{ layers: LAYERS, hiddenSize, mlpSize: 3 * hiddenSize, vocabularySize: 1024 },
  });
  const store = stack.use(new WeightStore(gpu));
  const tensors = seededTensors(config);
  const llama = stack.use(new Llama(gpu, config, tensors, "the random model", store));
  const texts = Array.from(
    { length: 8 },
    (_, text) => Uint32Array.from({ length: 64 }, (_, i) => (137 * i + 31 * text) % 1024),
  );
  const owned = stack.move();
  return {
    name: `forward pass, 512 tokens, width ${hiddenSize}`,
    unit: "layers",
    sizes: multiples(1, LAYERS, quick),
    at(layers) {
      const [hookpoint] = resolveHookpoints([`layers.${layers - 1}`], LAYERS);
      return {
        name: `${layers}`,
        run: (repeats) =>
          timed(async () => {
            for (let i = 0; i < repeats; i++) {
              await llama.forward(pack(texts), [{ hookpoint, run: () => {} }]);
            }
            await gpu.settle();
          }),
        [Symbol.dispose]: () => {},
      };
    },
    [Symbol.dispose]: () => owned[Symbol.dispose](),
  };
}
