import assert from "node:assert/strict";
import { join } from "node:path";
import { withFolder } from "../../tests/support/run.ts";
import { Finished } from "./finished.ts";

const SCORE = {
  scored: 3,
  failed: 1,
  counts: { truePositives: 1, falsePositives: 0, trueNegatives: 2, falseNegatives: 0 },
  metrics: { accuracy: { value: 1, low: 0.4, high: NaN } },
  main: "accuracy",
};

Deno.test("a file is finished while it is there and answers the same questions", () =>
  withFolder(async (folder) => {
    const path = join(folder, "scores.txt");
    await Deno.writeTextFile(path, "[]");
    {
      using finished = await Finished.open(folder);
      assert.equal(await finished.get(path, "q"), undefined);
      await Promise.all([
        finished.put(path, { asked: "q", score: SCORE, failures: ["Why."] }),
        finished.put(join(folder, "other.txt"), { asked: "q", problem: "empty", text: "…" }),
      ]);
    }
    using finished = await Finished.open(folder);
    assert.deepEqual(await finished.get(path, "q"), {
      ...{ asked: "q", score: SCORE, failures: ["Why."] },
    });
    assert.equal(await finished.get(path, "another question"), undefined);
    assert.equal((await finished.get(path))?.asked, "q");
    assert.equal(await finished.get(join(folder, "other.txt"), "q"), undefined, "no such file");
    await Deno.remove(path);
    assert.equal(await finished.get(path, "q"), undefined);
  }));

Deno.test("to sum up, whatever is there is finished", () =>
  withFolder(async (folder) => {
    const path = join(folder, "scores.txt");
    await Deno.writeTextFile(path, "[]");
    {
      using finished = await Finished.open(folder);
      await finished.put(path, { asked: "q", score: SCORE });
    }
    using finished = await Finished.open(folder, true);
    assert.equal((await finished.get(path, "another question"))?.asked, "q");
  }));

Deno.test("a line that a killed run left half is no entry", () =>
  withFolder(async (folder) => {
    const path = join(folder, "a.txt");
    await Deno.writeTextFile(path, "[]");
    {
      using finished = await Finished.open(folder);
      await finished.put(path, { asked: "q" });
    }
    const list = join(folder, "finished.jsonl");
    const whole = await Deno.readTextFile(list);
    await Deno.writeTextFile(list, whole + '["b.txt",{"asked":');
    using finished = await Finished.open(folder);
    assert.equal((await finished.get(path, "q"))?.asked, "q");
    await finished.put(path, { asked: "r" });
    const lines = (await Deno.readTextFile(list)).trimEnd().split("\n");
    assert.equal(lines.length, 3);
    for (const line of lines) JSON.parse(line);
  }));
