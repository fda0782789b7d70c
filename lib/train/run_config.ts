/** `config.json`: the options of a training under sparsify's names. */
import type { TrainOptions } from "./options.ts";

/** Options of the coder, which sparsify keeps apart. */
const CODER = new Set([
  "activation",
  "expansionFactor",
  "normalizeDecoder",
  "numLatents",
  "k",
  "multiTopk",
  "skipConnection",
  "transcode",
]);

/** Options with sparsify's names and layout; without the token of the hub. */
export function runConfig(options: TrainOptions): Record<string, unknown> {
  const { hfToken: _secret, shares, ...said } = options;
  const entries = Object.entries({ ...said, ...shares && { shares: Object.fromEntries(shares) } });
  const named = (inside: boolean) =>
    Object.fromEntries(
      entries.filter(([name]) => CODER.has(name) === inside)
        .map(([name, value]) => [underscored(name), value]),
    );
  const flags = { multi_topk: false, skip_connection: false, transcode: false };
  return { sae: { ...flags, ...named(true) }, ...named(false) };
}

function underscored(name: string): string {
  return name.replace(/[A-Z]|(?<=[a-z])\d/g, (part) => `_${part.toLowerCase()}`);
}
