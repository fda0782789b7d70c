/** babelscope interpret: runs that are stopped, whatever stops them, and what the next run pays. */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { ChatServer, ScriptedFault } from "./support/chat_server.ts";
import { filesUnder } from "./support/folders.ts";
import { Interpretable } from "./support/interpret_runs.ts";
import { startRuleResponder } from "./support/rule_responder.ts";

let prepared: Interpretable;
/** What a run that nobody stopped leaves, and the questions it asked. */
let whole: { files: Record<string, string>; questions: string[] };

Deno.test.beforeAll(async () => {
  prepared = await Interpretable.prepare();
  await prepared.withCopy(async (folder) => {
    await using server = startRuleResponder();
    const { code, stderr } = await prepared.interpret(folder, ["--base-url", server.url]);
    assert.equal(code, 0, stderr);
    whole = { files: await results(folder), questions: answered(server).sort() };
  });
});
Deno.test.afterAll(async () => await prepared.remove());

/** All results but those that tell of the run itself. */
async function results(folder: string): Promise<Record<string, string>> {
  const out = join(folder, "interpret");
  const names = (await filesUnder(out))
    .filter((name) => !/^(run.*\.json|finished\.jsonl)$/.test(name));
  const contents = await Promise.all(names.map((name) => Deno.readFile(join(out, name))));
  return Object.fromEntries(
    names.map((name, i) => [name, new TextDecoder("latin1").decode(contents[i])]),
  );
}

/** Questions that an endpoint answered, and would have been paid for. */
function answered({ requests }: ChatServer): string[] {
  return requests.filter(({ outcome }) => ["answered", "late"].includes(outcome))
    .map(({ body }) => body);
}

/** Proper answers to so many questions, then this. */
function after(count: number, fault: ScriptedFault["fault"]): ScriptedFault[] {
  return [{ times: count, fault: { late: 0 } }, { fault }];
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!await isSo()) await new Promise((resolve) => setTimeout(resolve, 10));
}

async function answersKept(folder: string): Promise<number> {
  const names = await filesUnder(join(folder, "answers"));
  return names.filter((name) => name.endsWith(".json")).length;
}

for (const count of [5, 60]) {
  Deno.test(`killed after ${count} answers: nothing is paid twice, and the results are the same`, () =>
    prepared.withCopy(async (folder) => {
      const { port, paid } = await (async () => {
        await using server = startRuleResponder({ faults: after(count, { silence: true }) });
        const process = prepared.start(folder, ["--base-url", server.url]);
        // all that was answered is on disk, and some more was asked
        await until(() => server.requests.length >= count + 4);
        await until(async () => await answersKept(folder) === count);
        process.kill("SIGKILL");
        await process.output();
        return { port: Number(new URL(server.url).port), paid: answered(server) };
      })();
      assert.equal(paid.length, count);
      await using server = startRuleResponder({ port });
      const { code, stderr } = await prepared.interpret(folder, ["--base-url", server.url]);
      assert.equal(code, 0, stderr);
      const all = [...paid, ...answered(server)];
      assert.equal(new Set(all).size, all.length);
      assert.deepEqual(all.sort(), whole.questions);
      assert.deepEqual(await results(folder), whole.files);
    }));
}

Deno.test("a budget ends the run with what is there; a larger one goes on from it", () =>
  prepared.withCopy(async (folder) => {
    await using server = startRuleResponder({ usage: () => ({ prompt: 990, completion: 10 }) });
    const run = (...args: string[]) =>
      prepared.interpret(folder, ["--base-url", server.url, ...args]);
    const some = await run("--max-total-tokens", "60000");
    assert.equal(some.code, 0, some.stderr);
    assert.match(some.stderr, /larger budget goes on from here\.\n$/);
    const spent = server.requests.length;
    assert.ok(spent > 40 && spent <= 60, `${spent}`);
    const out = join(folder, "interpret");
    const { complete, use } = JSON.parse(await Deno.readTextFile(join(out, "run.json")));
    assert.equal(complete, false);
    assert.ok(use.promptTokens + use.completionTokens <= 60_000);
    const { unasked } = JSON.parse(await Deno.readTextFile(join(out, "failures.json")));
    assert.ok(unasked.length > 0 && unasked.length < 36, `${unasked.length}`);

    const none = await run("--max-total-tokens", "0");
    assert.equal(none.code, 0, none.stderr);
    assert.equal(server.requests.length, spent);
    const rest = await run();
    assert.equal(rest.code, 0, rest.stderr);
    assert.deepEqual(answered(server).sort(), whole.questions);
    assert.deepEqual(await results(folder), whole.files);
  }));

// while latents are explained, then while they are scored by several questions each
for (const count of [6, 30]) {
  Deno.test(`Ctrl-C after ${count} questions waits for what was asked, and says that it is kept`, () =>
    prepared.withCopy(async (folder) => {
      await using server = startRuleResponder({ faults: [{ fault: { late: 60 } }] });
      const process = prepared.start(folder, ["--base-url", server.url]);
      await until(() => server.requests.length >= count);
      process.kill("SIGINT");
      const { code, stderr } = await process.output();
      assert.equal(code, 130);
      assert.match(
        new TextDecoder().decode(stderr),
        /\nInterrupted; what was answered is kept[^\n]*\.\n$/,
      );
      assert.equal(await answersKept(folder), answered(server).length);
      const { code: again } = await prepared.interpret(folder, ["--base-url", server.url]);
      assert.equal(again, 0);
      assert.deepEqual(answered(server).sort(), whole.questions);
      assert.deepEqual(await results(folder), whole.files);
    }));
}

Deno.test("whatever is asked at once, the results are the same", () =>
  prepared.withCopy(async (folder) => {
    await using server = startRuleResponder();
    const run = await prepared.interpret(folder, ["--base-url", server.url, "--concurrency", "1"]);
    assert.equal(run.code, 0, run.stderr);
    assert.equal(server.mostAtOnce, 1);
    assert.deepEqual(await results(folder), whole.files);
  }));

Deno.test("two runs in one folder are refused", () =>
  prepared.withCopy(async (folder) => {
    await using server = startRuleResponder({ faults: [{ fault: { silence: true } }] });
    const first = prepared.start(folder, ["--base-url", server.url]);
    await until(() => server.requests.length > 0);
    const { code, stderr } = await prepared.interpret(folder, ["--base-url", server.url]);
    first.kill("SIGKILL");
    await first.output();
    assert.equal(code, 2);
    assert.match(stderr, /Another run of babelscope works in .*interpret; /);
  }));
