import assert from "node:assert/strict";
import { seededRandom } from "../stats/random.ts";
import { decoderMapFigure, mappedLatents } from "./decoder_map.ts";
import { nearestByCosine, umapOf } from "./umap.ts";

/** Rows around some directions, one after the other. */
function bundles(count: number, each: number, width: number): Float32Array {
  const random = seededRandom(7);
  const rows = new Float32Array(count * each * width);
  for (let row = 0; row < count * each; row++) {
    for (let i = 0; i < width; i++) {
      const centre = i === Math.floor(row / each) ? 3 : 0;
      rows[row * width + i] = (1 + row % 3) * (centre + 0.3 * (random() - 0.5));
    }
  }
  return rows;
}

Deno.test("nearest rows by cosine are those of all pairs in double precision", () => {
  const [total, width] = [41, 7];
  const random = seededRandom(1);
  const rows = Float32Array.from({ length: total * width }, () => random() - 0.5);
  rows.fill(0, 5 * width, 6 * width);
  const { indices, distances } = nearestByCosine(rows, width, 6);
  const row = (i: number) => Array.from(rows.subarray(i * width, (i + 1) * width));
  const dot = (a: number[], b: number[]) => a.reduce((sum, value, k) => sum + value * b[k], 0);
  const cosine = (i: number, j: number) => {
    const scale = Math.sqrt(dot(row(i), row(i)) * dot(row(j), row(j)));
    return scale === 0 ? 0 : dot(row(i), row(j)) / scale;
  };
  for (let i = 0; i < total; i++) {
    const others = Array.from({ length: total }, (_, j) => j).filter((j) => j !== i)
      .sort((a, b) => cosine(i, b) - cosine(i, a) || a - b).slice(0, 5);
    assert.deepEqual(indices[i], [i, ...others]);
    others.forEach((j, n) => assert.ok(Math.abs(distances[i][n + 1] - (1 - cosine(i, j))) < 1e-6));
    assert.equal(distances[i][0], 0);
  }
});

Deno.test("UMAP: directions of one bundle lie together, whatever their lengths, and again so", () => {
  const [each, width] = [20, 6];
  const rows = bundles(3, each, width);
  const places = umapOf(rows, width);
  assert.deepEqual(umapOf(rows, width), places);
  assert.notDeepEqual(umapOf(rows, width, { seed: 1 }), places);
  const centre = (bundle: number) => {
    const own = places.slice(bundle * each, (bundle + 1) * each);
    return [0, 1].map((axis) => own.reduce((sum, place) => sum + place[axis], 0) / each);
  };
  const centres = [0, 1, 2].map(centre);
  const away = (place: number[], bundle: number) =>
    Math.hypot(place[0] - centres[bundle][0], place[1] - centres[bundle][1]);
  const own = places.filter((place, i) => {
    const closest = [0, 1, 2].toSorted((a, b) => away(place, a) - away(place, b))[0];
    return closest === Math.floor(i / each);
  });
  assert.equal(own.length, 3 * each);
});

Deno.test("UMAP of few rows has fewer neighbours, of two it has nothing to lay out", () => {
  assert.equal(umapOf(bundles(1, 4, 3), 3).length, 4);
  assert.throws(() => umapOf(bundles(1, 2, 3), 3), RangeError);
});

Deno.test("a map has all features, and a drawn background in the order of indices", () => {
  assert.deepEqual(mappedLatents([7, 2, 7], 10), [7, 2, 0, 1, 3, 4, 5, 6, 8, 9]);
  const drawn = mappedLatents([7, 2], 1000, 20);
  assert.equal(drawn.length, 22);
  assert.equal(new Set(drawn).size, 22);
  assert.deepEqual(drawn.slice(2), drawn.slice(2).toSorted((a, b) => a - b));
  assert.deepEqual(drawn, mappedLatents([7, 2], 1000, 20));
});

Deno.test("the map says how much of the background it shows", () => {
  const at = { layer: 3, x: 0.12345, y: 1 };
  const feature = { language: "Thai", entropy: 0.5, probability: 0.25 };
  const figure = decoderMapFigure([{ ...at, index: 9, feature }, { ...at, index: 4 }], {
    layer: 3,
    languages: ["Thai"],
    total: 2048,
  });
  assert.deepEqual(figure.rows, [
    { language: "Thai", layer: 3, index: 9, x: 0.123, y: 1, entropy: 0.5, probability: 0.25 },
    { language: null, layer: 3, index: 4, x: 0.123, y: 1, entropy: null, probability: null },
  ]);
  assert.match(figure.see, /1 features of languages and 1 others of 2,047, drawn at random/);
  assert.equal(figure.id, "decoder-map-3");
});
