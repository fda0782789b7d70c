/**
 * babelscope interpret: the whole path on the embedded model, against a language model of two rules, so
 * that explanations and scores are known before they are asked for.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { readTable } from "../lib/data/tables.ts";
import { readInterpretations } from "../lib/interpret/results/read_interpretations.ts";
import {
  type ChatQuestion,
  type ChatServerRequest,
  startChatServer,
} from "./support/chat_server.ts";
import { filesUnder } from "./support/folders.ts";
import { IDENTIFIED, Interpretable, SELDOM, SILENT } from "./support/interpret_runs.ts";
import {
  explanationOf,
  fits,
  ruleAnswer,
  startRuleResponder,
  wordOf,
} from "./support/rule_responder.ts";

let prepared: Interpretable;
Deno.test.beforeAll(async () => {
  prepared = await Interpretable.prepare();
});
Deno.test.afterAll(async () => await prepared.remove());

/** Names of the files of the latents that fire often enough. */
const EXPLAINED = Object.values(IDENTIFIED).flat()
  .filter(([layer, index]) => layer === 0 || ![SELDOM, SILENT].includes(index))
  .map(([layer, index]) => `layers.${layer}.mlp_latent${index}`)
  .sort();

/** A row of a score file. */
interface Row {
  readonly str_tokens: string[];
  readonly activations: number[];
  readonly activating: boolean;
  readonly prediction: boolean | null;
  readonly correct: boolean | null;
}

async function readJson(...path: string[]) {
  return JSON.parse(await Deno.readTextFile(join(...path)));
}

/** Class-balanced accuracy, F1, precision and recall, as B.10 defines them. */
function metricsOf(rows: readonly Row[]): Record<string, number> {
  const count = (activating: boolean, prediction: boolean) =>
    rows.filter((row) => row.activating === activating && row.prediction === prediction).length;
  const [hits, misses] = [count(true, true), count(true, false)];
  const [alarms, rejections] = [count(false, true), count(false, false)];
  const precision = hits / (hits + alarms || 1);
  const recall = hits / (hits + misses);
  return {
    accuracy: (recall + rejections / (alarms + rejections)) / 2,
    f1_score: 2 * precision * recall / (precision + recall || 1),
    precision,
    recall,
  };
}

function question({ body }: ChatServerRequest): ChatQuestion {
  return JSON.parse(body);
}

/** Questions of the rule responder that are about an explanation. */
function isScoring(request: ChatServerRequest): boolean {
  return question(request).messages.at(-1)?.content.startsWith("Latent explanation:") ?? false;
}

async function bytesUnder(folder: string, left: RegExp = /^$/): Promise<Record<string, string>> {
  const names = (await filesUnder(folder)).filter((name) => !left.test(name));
  const contents = await Promise.all(names.map((name) => Deno.readFile(join(folder, name))));
  return Object.fromEntries(
    names.map((name, i) => [name, new TextDecoder("latin1").decode(contents[i])]),
  );
}

Deno.test("explanations, scores and controls are what the rules say; a second run asks nobody", () =>
  prepared.withCopy(async (folder) => {
    await using server = startRuleResponder();
    const key = "sk-never-to-be-seen-0123456789";
    const ask = () =>
      prepared.interpret(folder, ["--base-url", server.url], { BABELSCOPE_API_KEY: key });
    const { code, stdout, stderr } = await ask();
    assert.equal(code, 0, stderr);
    const out = join(folder, "interpret");

    for (const group of ["", "controls/random"]) {
      const names = await filesUnder(join(out, group, "explanations"));
      if (group === "") assert.deepEqual(names, EXPLAINED.map((name) => `${name}.txt`));
      else assert.equal(names.length, EXPLAINED.length);
      for (const name of names) {
        const prompt = await readJson(out, group, "prompts", name.replace(".txt", ".json"));
        const text = await readJson(out, group, "explanations", name);
        const messages = [{ role: "user", content: prompt }];
        assert.equal(`[EXPLANATION]: ${text}`, ruleAnswer({ model: "", messages }));
        const rows: Row[] = await readJson(out, group, "scores/detection", name);
        assert.equal(rows.length, 20);
        for (const { str_tokens, activations, activating, prediction, correct } of rows) {
          assert.equal(activating, activations.some((value) => value > 0));
          assert.equal(prediction, fits(str_tokens.join(""), wordOf(text)));
          assert.equal(correct, prediction === activating);
        }
      }
    }

    const table = await readTable(join(out, "scores.parquet"));
    assert.equal(table.group.length, 3 * 2 * EXPLAINED.length);
    for (const [at, group] of table.group.entries()) {
      const name = `${table.hookpoint[at]}_latent${table.latent[at]}.txt`;
      const place = group === "identified" ? "" : join("controls", String(group));
      const rows: Row[] = await readJson(out, place, "scores", String(table.scorer[at]), name);
      for (const [metric, value] of Object.entries(metricsOf(rows))) {
        assert.ok(Math.abs(Number(table[metric][at]) - value) < 1e-12, `${name} ${metric}`);
        const [low, high] = [table[`${metric}_low`][at], table[`${metric}_high`][at]].map(Number);
        assert.ok(
          low <= value + 1e-12 && value <= high + 1e-12,
          `${name} ${metric}: ${low} ${high}`,
        );
      }
    }

    // a borrowed explanation is that of another latent, of the same language where there is one
    const thai = (await readJson(out, "explanations/layers.0.mlp_latent10.txt")) as string;
    const borrower = await readJson(
      out,
      "controls/shuffled/scores/detection/layers.0.mlp_latent85.txt",
    );
    for (const { str_tokens, prediction } of borrower as Row[]) {
      assert.equal(prediction, fits(str_tokens.join(""), wordOf(thai)));
    }

    const averages = (await Deno.readTextFile(join(out, "scores/average_scores.csv"))).split("\n");
    assert.equal(averages[0], "Language,Score Type,accuracy,f1_score,precision,recall");
    assert.deepEqual(averages.slice(1, -1).map((line) => line.split(",", 2).join(" ")), [
      ...["English detection", "English fuzz", "German detection", "German fuzz"],
      ...["Thai detection", "Thai fuzz"],
    ]);
    const german = await Promise.all(
      ["layers.0.mlp_latent12", "layers.1.mlp_latent179"].map(async (name) =>
        metricsOf(await readJson(out, "scores/detection", `${name}.txt`))
      ),
    );
    averages[3].split(",").slice(2).forEach((cell, i) => {
      const metric = ["accuracy", "f1_score", "precision", "recall"][i];
      const mean = (german[0][metric] + german[1][metric]) / 2;
      assert.ok(Math.abs(Number(cell) - mean) <= 0.0005 + 1e-12, `${metric}: ${cell}, not ${mean}`);
      assert.match(cell, /^\d\.\d{1,3}$/);
    });

    assert.deepEqual(await readJson(out, "failures.json"), {
      silent: [{ hookpoint: "layers.1.mlp", latent: SILENT }],
      skipped: [{ hookpoint: "layers.1.mlp", latent: SELDOM, active_windows: 6 }],
      ...{ unexplained: [], marked: [], unscored: [], unasked: [] },
    });
    const { complete, use, latents, options } = await readJson(out, "run.json");
    assert.deepEqual([complete, use.sent, use.asked], [
      true,
      server.requests.length,
      server.requests.length,
    ]);
    assert.deepEqual(latents, { identified: 6, random: 6 });
    assert.equal(options.baseUrl, server.url);
    assert.equal((await readJson(out, "run_config.json")).sampler_cfg.n_examples_train, 10);
    assert.match(stdout, /^scorer +latents +metric +score +random latents +difference/);
    assert.match(stdout, /\n1 latent skipped for firing in too few windows/);

    const read = await readInterpretations(out);
    assert.equal(read?.explainerModel, "rules");
    assert.deepEqual(read?.latents.map(({ languages }) => languages.join()), [
      ...["Thai", "German", "Thai", "English", "German", "Thai"],
    ]);
    assert.equal(read?.random.length, 6);
    const first = read?.latents[0];
    assert.equal(first?.explanation, thai);
    assert.deepEqual(first?.scores.map(({ scorer }) => scorer), ["detection", "fuzz"]);
    const rows = await readJson(out, "scores/fuzz/layers.0.mlp_latent10.txt");
    assert.equal(first?.scores[1].metrics.accuracy.value, metricsOf(rows).accuracy);
    assert.deepEqual(first?.shuffledScores.map(({ predictions }) => predictions), [20, 20]);
    const [{ controls, metrics }] = read?.summary.scorers ?? [];
    assert.equal(controls.random?.latents, 6);
    assert.ok(metrics.accuracy.low <= metrics.accuracy.value);

    const written = await bytesUnder(folder);
    assert.ok(server.requests.every(({ authorization }) => authorization === `Bearer ${key}`));
    assert.ok(!Object.values({ ...written, stdout, stderr }).some((text) => text.includes(key)));
    const asked = server.requests.length;
    assert.equal((await ask()).code, 0);
    assert.equal(server.requests.length, asked);
    const again = await bytesUnder(folder);
    for (const name of Object.keys(written).filter((name) => !name.endsWith("run.json"))) {
      assert.equal(again[name], written[name], name);
    }
  }));

Deno.test("a dry run asks nobody and writes the prompts that would be asked", () =>
  prepared.withCopy(async (folder) => {
    const { code, stdout, stderr } = await prepared.interpret(folder, [
      ...["--dry-run", "--prompt-price", "2", "--completion-price", "8", "--max-latents", "2"],
    ]);
    assert.equal(code, 0, stderr);
    const dry = join(folder, "interpret/dry_run");
    assert.match(stdout, /\nall +\d+ +[\d,]+ +[\d,]+ +\d+\.\d\d\n/);
    const { parts } = await readJson(dry, "estimate.json");
    assert.deepEqual(parts[0].part, "explanations");
    const characters = JSON.stringify(await bytesUnder(join(dry, "explanations"))).length;
    assert.ok(parts[0].prompt_tokens > characters / 8 && parts[0].prompt_tokens < characters);

    await using server = startRuleResponder();
    const asked = await prepared.interpret(folder, [
      "--base-url",
      server.url,
      "--max-latents",
      "2",
    ]);
    assert.equal(asked.code, 0, asked.stderr);
    const sent = new Set(
      server.requests.map((request) => JSON.stringify(question(request).messages)),
    );
    let planned = 0;
    for (const group of ["", "controls/random", "controls/shuffled"]) {
      for (const name of await filesUnder(join(dry, group))) {
        if (!/^(explanations|scores)\//.test(name)) continue;
        const stem = name.split("/").at(-1)?.replace(".json", "") ?? "";
        const explanation = group === "controls/shuffled"
          ? undefined
          : await readJson(folder, "interpret", group, "explanations", `${stem}.txt`);
        for (const messages of await readJson(dry, group, name)) {
          planned++;
          if (name.startsWith("scores/") && explanation === undefined) continue;
          const text = JSON.stringify(messages)
            .replace(/\(here goes the explanation of .*? been asked for it\)/, explanation);
          assert.ok(sent.has(text), `${group} ${name}`);
        }
      }
    }
    assert.equal(planned, server.requests.length);
  }));

Deno.test("an endpoint that misbehaves costs some latents, not the run; the next run mends it", () =>
  prepared.withCopy(async (folder) => {
    const faults = {
      unexplained: { at: /meticulous AI researcher/, times: 1, fault: { status: 500 } },
      degenerate: {
        at: /meticulous AI researcher/,
        times: 3,
        fault: { text: `[EXPLANATION]: ${"la ".repeat(400)}` },
      },
      useless: { at: /Latent explanation/, times: 3, fault: { text: "I cannot say." } },
      down: { at: /Latent explanation/, times: 1, fault: { status: 503 } },
    };
    const usual = ["--max-attempts", "1", "--concurrency", "1", "--controls", "none"];
    const port = await (async () => {
      await using server = startRuleResponder({ faults: Object.values(faults) });
      const { code, stdout, stderr } = await prepared.interpret(folder, [
        ...["--base-url", server.url, ...usual],
      ]);
      assert.equal(code, 0, stderr);
      assert.match(stdout, /1 latent without an explanation, as nobody answered/);
      return Number(new URL(server.url).port);
    })();
    const out = join(folder, "interpret");
    const failures = await readJson(out, "failures.json");
    assert.deepEqual(
      failures.unexplained.map((
        { latent, group }: { latent: number; group: string },
      ) => [latent, group]),
      [[10, "identified"]],
    );
    assert.match(failures.unexplained[0].reason, /status 500/);
    assert.deepEqual(failures.marked, [
      { hookpoint: "layers.0.mlp", latent: 12, group: "identified", problem: "degenerate" },
    ]);
    const [{ latent, scorer, questions, reasons }] = failures.unscored;
    assert.deepEqual([failures.unscored.length, latent, scorer, questions], [
      1,
      85,
      "detection",
      1,
    ]);
    assert.match(reasons.join(), /status 503/);
    const rows: Row[] = await readJson(out, "scores/detection/layers.0.mlp_latent85.txt");
    assert.equal(
      rows.filter(({ prediction, correct }) => prediction === null && correct === null).length,
      5,
    );
    const { latents: [unexplained, marked, partly, whole], summary } =
      await readInterpretations(out) ?? assert.fail();
    assert.deepEqual([unexplained.explanation, unexplained.problem], [null, "unanswered"]);
    assert.deepEqual([marked.problem, marked.scores.length], ["degenerate", 0]);
    assert.deepEqual([partly.scores[0].predictions, partly.scores[0].failed], [15, 5]);
    assert.equal(whole.scores[0].failed, 0);
    assert.equal(summary.scorers[0].failed, 5);

    await using server = startRuleResponder({ port });
    const mended = await prepared.interpret(folder, ["--base-url", server.url, ...usual]);
    assert.equal(mended.code, 0, mended.stderr);
    // the explanation, its 4 + 4 scores, and the question that failed
    assert.equal(server.requests.length, 1 + 8 + 1);
    const after = await readJson(out, "failures.json");
    assert.deepEqual([after.unexplained, after.marked.length, after.unscored], [[], 1, []]);
  }));

Deno.test("explanations that are there are scored as they are, and summed up without asking", () =>
  prepared.withCopy(async (folder) => {
    await using server = startRuleResponder();
    const ask = (...args: string[]) =>
      prepared.interpret(folder, ["--base-url", server.url, "--controls", "none", ...args]);
    const missing = await ask("--explainer", "none");
    assert.match(missing.stderr, /\nbabelscope interpret: There is no explanation in [^\n]*\.\n$/);
    assert.equal(missing.code, 2);
    assert.equal((await ask("--scorers", "detection", "--explain-in", "own")).code, 0);
    const explaining = server.requests.filter((request) => !isScoring(request));
    const languages = explaining.map((request) =>
      /\b(German|Thai)\b/.exec(JSON.stringify(question(request).messages))?.[1] ?? "English"
    );
    assert.deepEqual(languages.sort(), ["English", "German", "German", "Thai", "Thai", "Thai"]);

    const edited = join(folder, "interpret/explanations/layers.0.mlp_latent12.txt");
    await Deno.writeTextFile(edited, JSON.stringify(explanationOf("der")));
    const before = server.requests.length;
    const scored = await ask("--explainer", "none", "--scorers", "detection");
    assert.equal(scored.code, 0, scored.stderr);
    assert.equal(server.requests.length, before + 4, "only the edited one is scored again");
    const rows: Row[] = await readJson(
      ...[folder, "interpret/scores/detection/layers.0.mlp_latent12.txt"] as const,
    );
    for (const { str_tokens, prediction } of rows) {
      assert.equal(prediction, fits(str_tokens.join(""), "der"));
    }
    const expected = await bytesUnder(join(folder, "interpret"), /run.*json$|finished|answers/);
    const told = await Deno.readTextFile(join(folder, "interpret/run.json"));
    const again = await prepared.interpret(folder, [
      ...["--log-results", "--explainer", "none", "--scorers", "detection", "--controls", "none"],
    ]);
    assert.equal(again.code, 0, again.stderr);
    assert.deepEqual(
      await bytesUnder(join(folder, "interpret"), /run.*json$|finished|answers/),
      expected,
    );

    assert.equal(await Deno.readTextFile(join(folder, "interpret/run.json")), told);

    await Deno.remove(join(folder, "answers"), { recursive: true });
    const asked = server.requests.length;
    await ask("--explainer", "none", "--scorers", "detection", "--overwrite", "scores");
    assert.equal(server.requests.length, asked + 6 * 4);
  }));

Deno.test("--compat paper asks as published, and keeps all latents", () =>
  prepared.withCopy(async (folder) => {
    await using server = startChatServer({ answer: ruleAnswer });
    const { code, stderr } = await prepared.interpret(folder, [
      ...["--base-url", server.url, "--compat", "paper", "--name", "paper", "--controls", "none"],
      ...["--layer", "layers.0.mlp", "--dataset-configs", "udhr:{de,th}", "--batch-size", "4"],
      ...["--min-examples", "20", "--train-type", "top"],
    ]);
    assert.equal(code, 0, stderr);
    const out = join(folder, "paper");
    const files = await filesUnder(join(out, "latents/layers.0.mlp"));
    assert.deepEqual(files, [
      ...["0_408.safetensors", "1228_1637.safetensors", "1638_2047.safetensors"],
      ...["409_818.safetensors", "819_1227.safetensors", "config.json"],
    ]);
    const names = await filesUnder(join(out, "explanations"));
    assert.deepEqual(names, [10, 12, 85].map((index) => `layers.0.mlp_latent${index}.txt`));
    for (const name of names) {
      const prompt: string = await readJson(out, "prompts", name.replace(".txt", ".json"));
      assert.equal(prompt.match(/^Activations: (\("[^"]*" : \d+\), ?)+$/gm)?.length, 10);
      assert.ok(!prompt.includes("Example 1:"));
      const rows: Row[] = await readJson(out, "scores/fuzz", name);
      assert.deepEqual([rows.length, rows.filter(({ activating }) => activating).length], [20, 10]);
    }
    assert.equal(server.requests.length, names.length * (1 + 4 + 4));
    const { max_tokens, temperature, response_format } = JSON.parse(server.requests[0].body);
    assert.deepEqual([max_tokens, temperature, response_format], [3000, 0, undefined]);
  }));

/** What a run left, as the published program would have left it. */
async function asPublished(out: string): Promise<void> {
  for (const { name } of await Array.fromAsync(Deno.readDir(out))) {
    if (["latents", "prompts", "explanations", "scores"].includes(name)) continue;
    await Deno.remove(join(out, name), { recursive: true });
  }
  const path = join(out, "latents/layers.0.mlp/config.json");
  const { babelscope: _, ...config } = await readJson(path);
  await Deno.writeTextFile(path, JSON.stringify(config));
}

Deno.test("what the published program left is summed up, and scored again, and never made anew", () =>
  prepared.withCopy(async (folder) => {
    await using server = startRuleResponder();
    const run = (...args: string[]) =>
      prepared.interpret(folder, [
        ...[
          "--compat",
          "paper",
          "--name",
          "paper",
          "--controls",
          "none",
          "--layer",
          "layers.0.mlp",
        ],
        ...["--batch-size", "4", "--min-examples", "20", "--train-type", "top", ...args],
      ]);
    const asked = await run("--base-url", server.url, "--dataset-configs", "udhr:{de,th}");
    assert.equal(asked.code, 0, asked.stderr);
    const out = join(folder, "paper");
    const scores = await bytesUnder(join(out, "scores"));
    await asPublished(out);
    const latents = await bytesUnder(join(out, "latents"));

    // neither the model nor its activations are looked at
    await Deno.rename(join(out, "latents"), join(folder, "hidden"));
    await Deno.remove(join(out, "scores/average_scores.csv"));
    const summed = await run("--log-results", "--model", "none/such");
    assert.equal(summed.code, 0, summed.stderr);
    assert.deepEqual(await bytesUnder(join(out, "scores")), scores);
    const read = await readInterpretations(out);
    assert.deepEqual(
      read?.latents.map(({ index, languages, windows }) => [index, languages.join(), windows]),
      [[10, "Thai", null], [12, "German", null], [85, "Thai", null]],
    );
    assert.equal(
      read?.latents[0].explanation,
      await readJson(out, "explanations/layers.0.mlp_latent10.txt"),
    );
    const nothing = await run("--log-results", "--scorers", "simulation");
    assert.match(nothing.stderr, /paper\/scores has no scores of detection or fuzz at these hookp/);

    await Deno.rename(join(folder, "hidden"), join(out, "latents"));
    const before = server.requests.length;
    const again = await run(
      ...["--base-url", server.url, "--request-cache", join(folder, "others")],
      ...["--dataset-configs", "udhr:en", "--explainer", "none", "--overwrite", "scores"],
    );
    assert.equal(again.code, 0, again.stderr);
    assert.match(
      again.stderr,
      /There are [\d,]+ activations on [\d,]+ tokens from another program/,
    );
    assert.equal(server.requests.length, before + 3 * (4 + 4));
    assert.deepEqual(await bytesUnder(join(out, "scores")), scores);
    assert.deepEqual(await bytesUnder(join(out, "latents")), latents);
    assert.equal((await readJson(out, "run_config.json")).cache_cfg.dataset_configs.length, 2);
  }));

Deno.test("what cannot be done is said in one sentence", () =>
  prepared.withCopy(async (folder) => {
    const cases: [string[], RegExp][] = [
      [[], /No language model is named; .*--base-url.* or see with --dry-run/],
      [["--base-url", "http://user:secret@localhost/v1"], /holds a user, a password/],
      [["--explainer-provider", "openrouter"], /needs a key; set OPENROUTER_API_KEY/],
      [["--dry-run", "--layer", "layers.0.mlp.act_fn"], /names neurons/],
      [["--dry-run", "--lape-result-path", "no.json"], /Cannot read no\.json: it does not exist/],
      [
        ["--dry-run", "--prompt-texts", join(folder, "lape.json")],
        /does not hold texts of prompts/,
      ],
      [["--dry-run", "--min-examples", "9999"], /None of the 8 latents fires in 9999 windows/],
    ];
    for (const [args, message] of cases) {
      const { code, stdout, stderr } = await prepared.interpret(folder, args, {
        ...{ OPENROUTER_API_KEY: "", BABELSCOPE_API_KEY: "" },
      });
      assert.equal(code, 2, stderr);
      assert.equal(stdout, "");
      assert.match(stderr, message);
      assert.match(stderr, /(^|\n)babelscope interpret: [^\n]*\.\n$/);
      assert.ok(!stderr.includes("secret"), stderr);
    }
  }));
