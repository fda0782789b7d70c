import assert from "node:assert/strict";
import { HOSTILE, MadeUpBackend } from "../../tests/support/made_up_backend.ts";
import type { FeatureQuery } from "../explore/backend.ts";
import { record, type RecordOptions } from "./record.ts";
import { StaticBackend } from "./static_backend.ts";

const ORIGINAL = new MadeUpBackend();

const OPTIONS: RecordOptions = { allLatents: true, contexts: 8, live: true };

/** A site in memory, and which of its files were read. */
async function recorded(options: Partial<RecordOptions> = {}, live = "There is no model.") {
  const files = new Map<string, string>();
  const write = (path: string, content: string) => {
    assert.ok(!files.has(path), `${path} is written once`);
    files.set(path, content);
    return Promise.resolve();
  };
  await record(ORIGINAL, write, { ...OPTIONS, ...options });
  const read: string[] = [];
  const site = new StaticBackend((path) => {
    read.push(path);
    const content = files.get(path);
    return content === undefined
      ? Promise.reject(new Error(`no ${path}`))
      : Promise.resolve(JSON.parse(content));
  }, live);
  return { files, read, site };
}

Deno.test("a recorded site answers what the backend answers", async () => {
  const { site } = await recorded();
  const { live: _, ...overview } = await ORIGINAL.overview();
  assert.deepEqual(await site.overview(), { ...overview, live: "There is no model." });
  for (const { layer, latents } of overview.layers) {
    for (let index = 0; index < latents; index++) {
      assert.deepEqual(await site.feature(layer, index), await ORIGINAL.feature(layer, index));
    }
  }
  for (const index of [0, 35, 105]) {
    for (const { name } of overview.languages) {
      for (
        const part of [{ offset: 0, limit: 5 }, { offset: 3, limit: 4 }, { offset: 5, limit: 9 }]
      ) {
        assert.deepEqual(
          await site.contexts(2, index, name, part),
          await ORIGINAL.contexts(2, index, name, part),
        );
      }
    }
    assert.deepEqual(await site.article(2, index, "2"), await ORIGINAL.article(2, index, "2"));
  }
});

Deno.test("lists of a recorded site have the backend's order, whatever is asked for", async () => {
  const { site } = await recorded();
  const filters: Partial<FeatureQuery>[] = [
    {},
    { layer: 5 },
    { identified: true },
    { language: "Thai" },
    { language: "Arabic", layer: 2, identified: true },
  ];
  for (const filter of filters) {
    for (const order of ["index", "entropy", "probability"] as const) {
      for (
        const part of [{ offset: 0, limit: 7 }, { offset: 195, limit: 20 }, {
          offset: 240,
          limit: 50,
        }]
      ) {
        const query = { ...filter, order, ...part };
        assert.deepEqual(await site.features(query), await ORIGINAL.features(query));
      }
    }
  }
});

Deno.test("a page of a recorded site is a few small files", async () => {
  const { site, read, files } = await recorded();
  await site.features({ order: "probability", offset: 50, limit: 50 });
  await site.feature(2, 77);
  await site.contexts(2, 77, "English", { offset: 0, limit: 5 });
  assert.deepEqual(read, [
    "data/overview.json",
    "data/lists/all/probability/0.json",
    "data/latents/2/4.json",
    "data/contexts/2/77.json",
    "data/texts/0.json",
  ]);
  const largest = Math.max(...[...files.values()].map(({ length }) => length));
  assert.ok(largest < 100_000, `${largest} characters`);
});

Deno.test("words are found in explanations, tokens and contexts, of any script", async () => {
  const { site } = await recorded();
  const found = async (text: string, more: Partial<FeatureQuery> = {}) => {
    const { features } = await site.features({
      text,
      order: "index",
      offset: 0,
      limit: 300,
      ...more,
    });
    return features.map(({ layer, index }) => `${layer}/${index}`);
  };
  assert.deepEqual(await found("layer2latent49"), ["2/49"]);
  assert.deepEqual(await found("WORDS layer2latent4"), ["2/42", "2/49"], "the last is a beginning");
  assert.deepEqual(await found("layer2latent4 words"), [], "the others are not");
  assert.deepEqual(await found("layer5latent14 no-such-word"), []);
  assert.equal((await found("born")).length, 247, "all");
  assert.equal((await found("born", { layer: 5 })).length, 17);
  // Latents fire in Arabic, the third language, unless index + 2 is divisible by 3.
  const arabic = await found("أحرارا", { identified: true });
  assert.ok(arabic.includes("2/21") && !arabic.includes("2/7"), arabic.join());
  assert.ok((await found("อิสระ", { identified: true })).includes("2/21"), "no spaces around it");
  assert.deepEqual(await found("???"), []);
});

Deno.test("latents of no language have their best contexts, and no articles", async () => {
  const { site } = await recorded();
  const { total } = await site.contexts(2, 1, "English", { offset: 0, limit: 5 });
  assert.equal(total, 2);
  await assert.rejects(site.article(2, 1, "1"), /for language-specific features only/);
});

Deno.test("a site of language-specific features alone says what it has not", async () => {
  const { site, files } = await recorded({ allLatents: false });
  assert.deepEqual(await site.feature(2, 7), await ORIGINAL.feature(2, 7));
  await assert.rejects(site.feature(2, 8), /Only language-specific features/);
  await assert.rejects(site.features({ offset: 0, limit: 5 }), /Only language-specific features/);
  await assert.rejects(site.feature(9, 0), /no latent 0 of layer 9/);
  assert.ok(![...files.keys()].some((path) => path.startsWith("data/lists/")));
});

Deno.test("hostile text and lone surrogates come back as they were", async () => {
  const { site } = await recorded();
  const { topTokens, outputTokens } = await site.feature(2, 3);
  assert.equal(topTokens[1], HOSTILE);
  assert.equal(outputTokens[1].text, HOSTILE);
});

Deno.test("a file that could not be fetched is asked for again", async () => {
  const { files } = await recorded();
  let fails = true;
  const site = new StaticBackend((path) => {
    if (fails) return Promise.reject(new Error("no network"));
    return Promise.resolve(JSON.parse(files.get(path)!));
  }, "There is no model.");
  await assert.rejects(site.overview(), /no network/);
  fails = false;
  assert.equal((await site.overview()).model, "made up");
});

Deno.test("steering asks the model for shares of each latent's largest activation", async () => {
  const { files } = await recorded();
  const asked: unknown[] = [];
  const site = new StaticBackend((path) => Promise.resolve(JSON.parse(files.get(path)!)), {
    tryText: () => Promise.reject(new Error("not asked")),
    steer(request) {
      asked.push(request);
      return Promise.resolve({ plain: "a", steered: "b" });
    },
  });
  assert.equal((await site.overview()).live, true);
  const request = { prompt: "p", maxNewTokens: 4, temperature: 0, seed: 1 };
  const features = [{ layer: 2, index: 8, strength: 0.5 }, { layer: 5, index: 15, strength: -1 }];
  assert.deepEqual(await site.steer({ ...request, features }, () => {}), {
    plain: "a",
    steered: "b",
  });
  const latents = [{ layer: 2, index: 8, activation: 0.5 }, {
    layer: 5,
    index: 15,
    activation: -1.75,
  }];
  assert.deepEqual(asked, [{ ...request, latents }]);
});

Deno.test("without a model the sentence on why is what is told", async () => {
  const { site } = await recorded({}, "This browser has no WebGPU.");
  await assert.rejects(site.tryText("a"), /no WebGPU/);
  const without = await recorded({ live: "The model is too large." });
  assert.equal((await without.site.overview()).live, "The model is too large.");
  await assert.rejects(without.site.tryText("a"), /too large/);
});
