import type { DatabaseSync } from "node:sqlite";
import { tokenAsText, topTokensOf } from "../../analysis/top_tokens.ts";
import { progress } from "../../cli/progress.ts";
import type { RunningModel } from "../../session/session.ts";
import type { IndexSources } from "./build_index.ts";
import type { Extent } from "./extent.ts";
import { decodeFirings } from "./firings.ts";
import type { IndexText } from "./index_texts.ts";
import { latentWords } from "./latent_words.ts";
import { decoderRelations, type Relation, type Relations } from "./relations.ts";
import { inTransaction } from "./schema.ts";
import { folded } from "./words.ts";

/** Related latents of each kind, and output tokens, of a latent. */
const RELATED = 8;
const OUTPUTS = 16;

/** A tracked latent's place. */
interface Tracked {
  readonly id: number;
  readonly layer: number;
  readonly index: number;
  /** Position of its hookpoint among the subject's targets. */
  readonly target: number;
}

/** A token and how much the decoder row raises it. */
type Output = readonly [text: string, logit: number];

/** Writes relations, tokens, explanations and searched words of tracked latents. */
export async function writeDetails(
  database: DatabaseSync,
  sources: IndexSources,
  { model, texts, extent }: {
    readonly model: RunningModel;
    readonly texts: readonly IndexText[];
    readonly extent: Extent;
  },
): Promise<void> {
  const { counts: { pooled: { layers, width } }, session: { subject } } = sources;
  const tracked = Array.from(extent.tracked, (id): Tracked => {
    const layer = layers[Math.floor(id / width)];
    const target = subject.targets.findIndex(({ hookpoint }) => hookpoint.layer === layer);
    return { id, layer, index: id % width, target };
  });
  const relations = await allRelations(model, sources, tracked);
  const outputs = await outputTokens(model, sources, tracked);
  inTransaction(database, () => {
    const write = detailWriter(database, sources, texts);
    tracked.forEach((latent, i) => write(latent, relations[i], outputs[i]));
  });
}

/** Related latents of each, by their indices. */
async function allRelations(
  { gpu }: RunningModel,
  { session: { subject } }: IndexSources,
  tracked: readonly Tracked[],
): Promise<Relations[]> {
  const layers = Map.groupBy(tracked, ({ target }) => target);
  const total = layers.keys().reduce((sum, at) => sum + (subject.targets[at].sae?.latents ?? 0), 0);
  const shown = progress({ label: "comparing decoder rows", total, unit: "rows" });
  const relations: Relations[] = [];
  let done = 0;
  try {
    for (const [target, own] of layers) {
      const { sae, hookpoint } = subject.targets[target];
      const indices = own.map(({ index }) => index);
      if (!sae) continue;
      relations.push(
        ...await decoderRelations(
          gpu,
          sae,
          indices,
          RELATED,
          (rows) => shown.update(done + rows, hookpoint.name),
        ),
      );
      done += sae.latents;
    }
  } finally {
    shown.done();
  }
  return relations;
}

/** Output tokens of each; none where decoder rows are not as wide as the residual stream. */
async function outputTokens(
  model: RunningModel,
  { session: { subject } }: IndexSources,
  tracked: readonly Tracked[],
): Promise<Output[][]> {
  const { targets, tokenizer, config } = subject;
  const fits = targets.every(({ sae }) => sae?.decoder?.bias.length === config.hiddenSize);
  if (!fits) return tracked.map(() => []);
  const tops = await topTokensOf(model, subject, tracked, OUTPUTS);
  return tops.map((tokens) =>
    tokens.map(({ token, logit }) => [tokenAsText(tokenizer, token), logit])
  );
}

function detailWriter(
  database: DatabaseSync,
  { interpretations, qValues }: IndexSources,
  texts: readonly IndexText[],
): (latent: Tracked, relations: Relations, outputs: readonly Output[]) => void {
  const firingsOf = database.prepare("SELECT firings FROM firings WHERE id = ? ORDER BY language");
  const insert = database.prepare(`
    INSERT INTO details (id, q, explanation, scores, tokens, outputs, nearest, opposing)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)`);
  const find = database.prepare("INSERT INTO words (rowid, text) VALUES (?, ?)");
  return ({ id, layer, index }, { nearest, opposing }, outputs) => {
    const related = (relations: readonly Relation[]) =>
      JSON.stringify(relations.map(([other, cosine]) => [id - index + other, cosine]));
    const firings = firingsOf.all(id).map(({ firings }) => decodeFirings(firings as Uint8Array));
    const { tokens, peaks } = latentWords(firings, (text) => texts[text].pieces);
    const { explanation, scores } = interpretations.of(layer, index);
    insert.run(
      ...[id, qValues.get(`${layer} ${index}`) ?? null, explanation, JSON.stringify(scores)],
      ...[JSON.stringify(tokens), JSON.stringify(outputs), related(nearest), related(opposing)],
    );
    const words = [explanation ?? "", ...tokens, ...outputs.map(([text]) => text), ...peaks];
    find.run(id, folded(words.join("\n")));
  };
}
