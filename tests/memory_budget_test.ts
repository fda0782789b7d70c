/** An SAE of 1 GiB counts within a memory budget, with the same integers whatever the budget. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { sha256File } from "../lib/data/files.ts";
import { type Counts, decodeCounts } from "../lib/formats/counts.ts";
import { encodeSafetensors } from "../lib/formats/safetensors.ts";
import { writeCorpus } from "./support/folders.ts";
import { ROOT, runScript } from "./support/run.ts";

const HIDDEN = 2048;
const LATENTS = 131_072;
const K = 32;
const MLP = 256;
const KEY_VALUE = 512;
const VOCABULARY = 8192;
const MIB = 2 ** 20;
/** Bytes that are written at a time. */
const PIECE = 16 * MIB;

const scratch = await Deno.realPath(await Deno.makeTempDir());
Deno.test.afterAll(() => Deno.remove(scratch, { recursive: true }));

/**
 * Fills with random numbers in ±scale (xorshift32: a GiB takes about a second).
 *
 * @param seed anything but 0
 * @returns the seed of the numbers that follow
 */
function fillRandom(values: Float32Array, seed: number, scale: number): number {
  let state = seed | 0;
  for (let i = 0; i < values.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    values[i] = state * (scale / 2 ** 31);
  }
  return state;
}

/** A random Llama of one block, as wide as Llama-3.2-1B, with the embedded model's tokenizer. */
async function writeModel(folder: string): Promise<void> {
  await Deno.mkdir(folder);
  let state = 1;
  const matrix = (rows: number, columns: number) => {
    const data = new Float32Array(rows * columns);
    state = fillRandom(data, state, Math.sqrt(3 / columns));
    return { dtype: "F16", shape: [rows, columns], data: new Float16Array(data) } as const;
  };
  const ones = { dtype: "F16", shape: [HIDDEN], data: new Float16Array(HIDDEN).fill(1) } as const;
  const layer = "model.layers.0";
  const bytes = encodeSafetensors({
    "model.embed_tokens.weight": matrix(VOCABULARY, HIDDEN),
    "model.norm.weight": ones,
    [`${layer}.input_layernorm.weight`]: ones,
    [`${layer}.post_attention_layernorm.weight`]: ones,
    [`${layer}.self_attn.q_proj.weight`]: matrix(HIDDEN, HIDDEN),
    [`${layer}.self_attn.k_proj.weight`]: matrix(KEY_VALUE, HIDDEN),
    [`${layer}.self_attn.v_proj.weight`]: matrix(KEY_VALUE, HIDDEN),
    [`${layer}.self_attn.o_proj.weight`]: matrix(HIDDEN, HIDDEN),
    [`${layer}.mlp.gate_proj.weight`]: matrix(MLP, HIDDEN),
    [`${layer}.mlp.up_proj.weight`]: matrix(MLP, HIDDEN),
    [`${layer}.mlp.down_proj.weight`]: matrix(HIDDEN, MLP),
  });
  await Deno.writeFile(join(folder, "model.safetensors"), bytes);
  await Deno.writeTextFile(
    join(folder, "config.json"),
    JSON.stringify({
      model_type: "llama",
      hidden_size: HIDDEN,
      intermediate_size: MLP,
      num_hidden_layers: 1,
      num_attention_heads: 32,
      num_key_value_heads: 8,
      vocab_size: VOCABULARY,
      rms_norm_eps: 1e-5,
      tie_word_embeddings: true,
      bos_token_id: 0,
    }),
  );
  for (const name of ["tokenizer.json", "tokenizer_config.json"]) {
    await Deno.copyFile(`${ROOT}assets/demo/model/${name}`, join(folder, name));
  }
}

/** A random SAE; the encoder is all that counting reads. */
async function writeSae(folder: string): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(
    join(folder, "cfg.json"),
    JSON.stringify({ d_in: HIDDEN, num_latents: LATENTS, k: K }),
  );
  const weights = LATENTS * HIDDEN * 4;
  const biases = { encoder: LATENTS * 4, decoder: HIDDEN * 4 };
  const header = JSON.stringify({
    "encoder.weight": { dtype: "F32", shape: [LATENTS, HIDDEN], data_offsets: [0, weights] },
    "encoder.bias": {
      dtype: "F32",
      shape: [LATENTS],
      data_offsets: [weights, weights + biases.encoder],
    },
    "b_dec": {
      dtype: "F32",
      shape: [HIDDEN],
      data_offsets: [weights + biases.encoder, weights + biases.encoder + biases.decoder],
    },
  });
  using file = await Deno.open(join(folder, "sae.safetensors"), { write: true, createNew: true });
  const write = async (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
  };
  const start = new Uint8Array(8);
  new DataView(start.buffer).setBigUint64(0, BigInt(header.length), true);
  await write(start);
  await write(new TextEncoder().encode(header));
  const piece = new Float32Array(PIECE / 4);
  for (let at = 0, state = 7; at < weights; at += PIECE) {
    state = fillRandom(piece, state, 1 / Math.sqrt(HIDDEN));
    await write(new Uint8Array(piece.buffer));
  }
  await write(new Uint8Array(biases.encoder + biases.decoder));
}

/** Counts, the hash of their file, and the most GPU memory in use at a time. */
interface Counted {
  readonly counts: Counts;
  readonly sha256: string;
  readonly peak: number;
}

async function countWithin(budget: string): Promise<Counted> {
  const { code, stderr } = await runScript("count", [
    ...["--model", "model", "--sae-model", "saes", "--dataset-configs", "texts:en"],
    ...["--out-dir", budget, "--memory-budget", budget, "--block-tokens", "64"],
  ], { cwd: scratch });
  assert.equal(code, 0, stderr);
  const folder = join(scratch, budget, "counts");
  const run = JSON.parse(await Deno.readTextFile(join(folder, "run.json")));
  const path = join(folder, "texts/en.safetensors");
  return {
    counts: decodeCounts(await Deno.readFile(path), path),
    sha256: await sha256File(path),
    peak: run.gpu_peak_bytes,
  };
}

let roomy: Promise<Counted> | undefined;

/** Counts with room for the whole SAE, made once. */
function countRoomy(): Promise<Counted> {
  return roomy ??= (async () => {
    await writeModel(join(scratch, "model"));
    await writeSae(join(scratch, "saes/layers.0.mlp"));
    await writeCorpus(join(scratch, "texts"), {
      en: ["All human beings are born free and equal.", "Everyone has the right to life."],
    });
    return await countWithin("2GiB");
  })();
}

Deno.test("an SAE of 131,072 x 2,048 in f32 counts within 2 GiB, whole on the GPU", async () => {
  const { peak } = await countRoomy();
  assert.ok(peak > LATENTS * HIDDEN * 4, `${peak} bytes`);
  assert.ok(peak <= 2048 * MIB, `${peak} bytes`);
});

Deno.test("the latents that fire are K per token, from every part of the SAE", async () => {
  const { counts: { firedTokens, tokens, width } } = await countRoomy();
  assert.equal(width, LATENTS);
  assert.equal(firedTokens.reduce((sum, fired) => sum + fired), tokens * K);
  const parts = Array.from(
    { length: 8 },
    (_, part) =>
      firedTokens.subarray(part * LATENTS / 8, (part + 1) * LATENTS / 8)
        .reduce((sum, fired) => sum + fired),
  );
  const even = tokens * K / 8;
  assert.ok(parts.every((fired) => fired > even / 2 && fired < even * 2), `${parts}`);
});

Deno.test("an SAE larger than the budget is streamed, with the same counts bit for bit", async () => {
  const { sha256 } = await countRoomy();
  for (const budget of [700, 300]) {
    const streamed = await countWithin(`${budget}MiB`);
    assert.ok(streamed.peak <= budget * MIB, `${streamed.peak} bytes of ${budget} MiB`);
    assert.equal(streamed.sha256, sha256, `${budget} MiB`);
  }
});
