import assert from "node:assert/strict";
import type { ExampleSource } from "../interpret/examples/example_source.ts";
import type { LatentExamples, LatentName } from "../interpret/example.ts";
import { selectLatents } from "./select_latents.ts";
import type { ChosenLatent } from "../interpret/results/found.ts";

function latents(hookpoint: string, indices: readonly number[]): ChosenLatent[] {
  return indices.map((index) => ({ hookpoint, layer: 0, index, languages: ["Thai"] }));
}

/** A source in which latents below 100 never fire, odd ones too seldom. */
function census(all: readonly ChosenLatent[]): ExampleSource & { loaded: number[] } {
  const loaded: number[] = [];
  const fires = ({ index }: LatentName) => index >= 100;
  return {
    loaded,
    latents: all.filter(fires).toSorted((a, b) =>
      a.hookpoint < b.hookpoint ? -1 : +(a.hookpoint > b.hookpoint) || a.index - b.index
    ),
    silent: all.filter((latent) => !fires(latent)),
    windows: 50,
    tokens: 1600,
    load(latent) {
      loaded.push(latent.index);
      const activeWindows = latent.index % 7;
      return Promise.resolve(
        latent.index % 2 === 1 ? { latent, skipped: "too few windows", activeWindows } : {
          latent,
          activeWindows,
          windows: 50,
          firedTokens: 9,
          tokens: 1600,
          max: 2,
        } as LatentExamples,
      );
    },
    [Symbol.dispose]() {},
  };
}

const indices = (list: readonly { index: number }[]) => list.map(({ index }) => index);

Deno.test("as many controls as there are latents to explain, none looked at in vain", async () => {
  const chosen = [...latents("a", [104, 101, 100, 3]), ...latents("b", [110])];
  const candidates = [
    ...latents("a", [203, 207, 5, 212, 206, 208, 202]),
    ...latents("b", [301, 303, 305]),
  ];
  const source = census([...chosen, ...candidates]);
  const found = await selectLatents(source, chosen, candidates);
  assert.deepEqual(indices(found.identified), [100, 104, 110]);
  assert.deepEqual(indices(found.random), [206, 212], "in order of preference, then of indices");
  assert.deepEqual(found.skipped, [{ hookpoint: "a", latent: 101, active_windows: 3 }]);
  assert.deepEqual(found.silent, [{ hookpoint: "a", latent: 3 }]);
  assert.equal(found.statisticsOf(chosen[0]).activeWindows, 104 % 7);
  assert.throws(() => found.statisticsOf(chosen[1]), RangeError);
  assert.ok(!source.loaded.includes(202), "two were found before it");
});
