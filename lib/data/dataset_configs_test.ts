import assert from "node:assert/strict";
import { InputError } from "../formats/input_error.ts";
import { describeSpec, parseDatasetConfigs, sameRowsTwice } from "./dataset_configs.ts";

const all = { start: 0, end: Infinity };

Deno.test("data sets are read in every form", () => {
  const cases: [string, unknown[]][] = [
    ["udhr:en", [{ name: "udhr", lang: "en", ...all }]],
    ["my/texts:eng_Latn", [{ name: "my/texts", lang: "eng_Latn", ...all }]],
    ["t:en:dev", [{ name: "t", lang: "en", split: "dev", ...all }]],
    ["t:en:train:0:997", [{ name: "t", lang: "en", split: "train", start: 0, end: 997 }]],
    ["t:en:train:5", [{ name: "t", lang: "en", split: "train", start: 5, end: Infinity }]],
    ["t:en:train:5:", [{ name: "t", lang: "en", split: "train", start: 5, end: Infinity }]],
    ["t:en:train:5:inf", [{ name: "t", lang: "en", split: "train", start: 5, end: Infinity }]],
    ["t:en::5:7", [{ name: "t", lang: "en", start: 5, end: 7 }]],
    ["facebook/xnli@1a2b:en", [{ name: "facebook/xnli@1a2b", lang: "en", ...all }]],
    ["o/n:default=sw:dev", [{ name: "o/n", lang: "sw", config: "default", split: "dev", ...all }]],
    ["o/n:20231101.en", [{ name: "o/n", lang: "en", config: "20231101.en", ...all }]],
    ["o/n:a.b=c=pt_BR", [{ name: "o/n", lang: "pt_BR", config: "a.b=c", ...all }]],
  ];
  for (const [value, specs] of cases) assert.deepEqual(parseDatasetConfigs([value]), specs, value);
});

Deno.test("a spec is described as it was written", () => {
  const values = [
    "o/n:default=sw:dev",
    "o/n:20231101.en",
    "o/n:20231101.en:train:5:inf",
    "o/n@v1:en:dev:0:7",
  ];
  for (const value of values) assert.equal(describeSpec(parseDatasetConfigs([value])[0]), value);
});

Deno.test("braces expand, in order", () => {
  const specs = parseDatasetConfigs(["{a,b}:{en,de}", "udhr:fr"]);
  assert.deepEqual(specs.map(describeSpec), ["a:en", "a:de", "b:en", "b:de", "udhr:fr"]);
});

Deno.test("other forms are refused, naming the value", () => {
  const cases: [string, RegExp][] = [
    ["udhr", /^"udhr" is not a data set, expected name:lang/],
    [":en", /^":en" is not a data set/],
    ["udhr:", /^"udhr:" is not a data set/],
    ["t:en:train:0:1:2", /is not a data set/],
    ["udhr:jp", /did you mean ja/],
    ["o/n:default", /^Unknown language "default", .* behind a .* name, as in default=en\.$/],
    ["o/n:default=jp", /^Unknown language "jp"/],
    ["o/n:default=", /^Unknown language ""/],
    ["t:en:train:x:5", /^"t:en:train:x:5" has "x" for a row/],
    ["t:en:train:-1:5", /has "-1" for a row/],
    ["t:en:train:0:1.5", /has "1.5" for a row/],
    ["t:en:train:5:5", /names no rows/],
    ["t:en:train:inf", /names no rows/],
  ];
  for (const [value, message] of cases) {
    assert.throws(() => parseDatasetConfigs([value]), (error: Error) => {
      assert.ok(error instanceof InputError);
      assert.match(error.message, message);
      return true;
    });
  }
});

Deno.test("rows named twice are refused, but for --compat paper", () => {
  const twice = [
    ["udhr:en", "udhr:en"],
    ["udhr:en", "udhr:eng"],
    ["t:en:train:0:10", "./t:en:train:9:20"],
    ["t:en", "t:en:train:100:200"],
    ["t:{en,en}"],
    ["facebook/xnli:{en,eng_Latn}"],
    ["data/wili_2018:{sqi,sq}"],
    ["o/n:a={en,de}"],
  ];
  for (const values of twice) {
    assert.throws(() => parseDatasetConfigs(values), /share rows, which would be counted twice/);
    assert.equal(parseDatasetConfigs(values, { compat: "paper" }).length, 2);
  }
  const once = [
    ["t:en:train:0:10", "t:en:train:10:20"],
    ["t:en:train:0:10", "t:en:dev:0:10"],
    ["t:en", "t:eng"],
    ["t:en", "u:en"],
    ["o/n:{a,b}=en"],
    ["facebook/xnli:en", "facebook/xnli@v1:en"],
  ];
  for (const values of once) assert.equal(sameRowsTwice(parseDatasetConfigs(values)), undefined);
});
