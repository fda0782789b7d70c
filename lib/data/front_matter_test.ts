import assert from "node:assert/strict";
import { declaredConfigs } from "./front_matter.ts";

const configs = (front: string) =>
  declaredConfigs(`---\n${front}\n---\n# Card\nconfigs:\n- config_name: no\n`);

Deno.test("the form that the hub's own library writes", () => {
  const front = `language:
- en
dataset_info:
- config_name: en
  features:
  - name: label
    dtype:
      class_label:
        names:
          '0': entailment
configs:
- config_name: en
  data_files:
  - split: train
    path: en/train-*
  - split: test
    path: en/test-*
- config_name: all
  data_files:
  - split: train
    path:
    - "en/train-*"
    - 'de/train-*'
license: mit`;
  const read = [
    {
      name: "en",
      dataFiles: [
        { split: "train", patterns: ["en/train-*"] },
        { split: "test", patterns: ["en/test-*"] },
      ],
    },
    { name: "all", dataFiles: [{ split: "train", patterns: ["en/train-*", "de/train-*"] }] },
  ];
  assert.deepEqual(configs(front), read);
  assert.deepEqual(configs(front.replaceAll("\n", "\r\n")), read);
});

Deno.test("lists indented further, comments, one pattern for all, lists in one line", () => {
  const front = `configs:
    # a comment
    - config_name: default   # the only one
      default: true
      data_files: "data/*.jsonl"
    - data_files: [a.csv, "b.csv"]
      config_name: two`;
  assert.deepEqual(configs(front), [
    { name: "default", dataFiles: [{ split: undefined, patterns: ["data/*.jsonl"] }] },
    {
      name: "two",
      dataFiles: [
        { split: undefined, patterns: ["a.csv"] },
        { split: undefined, patterns: ["b.csv"] },
      ],
    },
  ]);
});

Deno.test("what is not declared, or declared otherwise, is not read", () => {
  assert.deepEqual(declaredConfigs("# no front matter\nconfigs:\n- config_name: x"), []);
  assert.deepEqual(declaredConfigs(""), []);
  const none = [
    "license: mit",
    "configs:",
    "configs: []",
    "configs:\n  en: x",
    "configs:\n- en\n- de",
    "configs:\n- config_name: en",
    "configs:\n- config_name: en\n  data_dir: en\n  data_files: x",
    "configs:\n- &a {config_name: en}",
    "configs:\n- - - config_name: en",
    "configs:\n- config_name:\n  data_files:\n",
  ];
  for (const front of none) assert.deepEqual(configs(front), [], front);
});

Deno.test("any text at all is read in the end", () => {
  const lines = ["- a: b", "- a:", "  - x", "a: b", "  a:", "-", "    - - b:", "configs:", "  b"];
  let seed = 1;
  const next = (n: number) => (seed = (seed * 48271) % 0x7fffffff) % n;
  for (let round = 0; round < 2000; round++) {
    const front = Array.from({ length: 12 }, () => lines[next(lines.length)]).join("\n");
    assert.ok(Array.isArray(configs(`configs:\n${front}`)));
  }
});

Deno.test("no line takes long, however it is made", () => {
  const spaces = " ".repeat(200_000);
  const start = performance.now();
  for (const line of [`a${spaces}b`, `a:${spaces}b\u2028c`, `a${" #".repeat(100_000)}\u2028`]) {
    configs(`configs:\n- config_name: ${line}\n- ${line}`);
  }
  assert.ok(performance.now() - start < 1000);
});

Deno.test("blocks deeper than any declaration are not followed", () => {
  const stairs = Array.from({ length: 5000 }, (_, step) => " ".repeat(step) + "a:").join("\n");
  assert.deepEqual(configs(`configs:\n${stairs}`), []);
});
