import assert from "node:assert/strict";
import { ROOT, runCommand, withFolder } from "../../tests/support/run.ts";

/** Writes a step that does `body`; `run`, `print`, `progress` and `InputError` are in scope. */
async function withStep(
  body: string,
  test: (deno: string[]) => Promise<void>,
  permissions: string[] = [],
): Promise<void> {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(
      `${folder}/step.ts`,
      `import { InputError } from "${ROOT}lib/formats/input_error.ts";
      import { print } from "${ROOT}lib/cli/output.ts";
      import { progress } from "${ROOT}lib/cli/progress.ts";
      import { run } from "${ROOT}lib/cli/run.ts";
      import { step } from "${ROOT}lib/cli/step.ts";
      const unused = [InputError, print, progress];
      await run(step("sample", "Sample.", "babelscope sample"), async () => { ${body} });`,
    );
    const flags = ["--quiet", `--config=${ROOT}deno.json`, "--no-lock", ...permissions];
    await test(["run", ...flags, `${folder}/step.ts`]);
  });
}

/** How a step that does `body` ends. */
async function outcomeOf(body: string, ...args: string[]) {
  let outcome: Awaited<ReturnType<typeof runCommand>>;
  await withStep(body, async (deno) => {
    outcome = await runCommand("deno", [...deno, ...args]);
  });
  return outcome!;
}

Deno.test("a step that ends well says nothing of its own", async () => {
  assert.deepEqual(await outcomeOf(`print("done");`), { code: 0, stdout: "done\n", stderr: "" });
});

Deno.test("bad input is one sentence and exit code 2", async () => {
  assert.deepEqual(await outcomeOf(`throw new InputError("texts.csv is empty.");`), {
    code: 2,
    stdout: "",
    stderr: "babelscope sample: texts.csv is empty.\n",
  });
});

Deno.test("so is an error of the GPU, known by its name", async () => {
  const body = `throw Object.assign(new Error("Out of GPU memory."), { name: "GpuError" });`;
  const { code, stderr } = await outcomeOf(body);
  assert.equal(code, 2);
  assert.equal(stderr, "babelscope sample: Out of GPU memory.\n");
});

Deno.test("wrong usage is one sentence, help is no error", async () => {
  const wrong = await outcomeOf("", "--cofnig", "x");
  assert.equal(wrong.code, 2);
  assert.equal(
    wrong.stderr,
    "babelscope sample: unknown option '--cofnig'; did you mean --config?\n",
  );
  const help = await outcomeOf("", "--help");
  assert.equal(help.code, 0);
  assert.match(help.stdout, /^Usage: sample/);
  assert.equal(help.stderr, "");
});

Deno.test("a permission that is missing is named", async () => {
  const { code, stderr } = await outcomeOf(`await Deno.readTextFile("/etc/hostname");`);
  assert.equal(code, 2);
  assert.match(stderr, /^babelscope sample: .*"\/etc\/hostname"; add --allow-read, or run .*\n$/);
});

Deno.test("anything else is a defect with its stack, wherever it was thrown", async () => {
  for (
    const body of [
      `throw new TypeError("of sorts");`,
      `Promise.reject(new TypeError("of sorts")); await new Promise((go) => setTimeout(go, 5000));`,
      `setTimeout(() => { throw new TypeError("of sorts"); }); await new Promise((go) => setTimeout(go, 5000));`,
    ]
  ) {
    const { code, stderr } = await outcomeOf(body);
    assert.equal(code, 1);
    assert.match(stderr, /^TypeError: of sorts\n {4}at .*step\.ts/);
    assert.match(stderr, /this is a defect of babelscope; please report the lines above\.\n$/);
  }
});

Deno.test("an interrupt says how to go on and exits with 130", async () => {
  const body = `print("ready"); await new Promise((go) => setTimeout(go, 60_000));`;
  await withStep(body, async (deno) => {
    const child = new Deno.Command("deno", { args: deno, stdout: "piped", stderr: "piped" })
      .spawn();
    const output = child.stdout.getReader();
    await output.read();
    child.kill("SIGINT");
    const { code } = await child.status;
    await output.cancel();
    const stderr = await new Response(child.stderr).text();
    assert.equal(code, 130);
    assert.equal(stderr, "Interrupted; run the same command again to resume.\n");
  });
});

Deno.test("a reader who leaves ends the step without a word", async () => {
  const body = `for (let i = 0; i < 1e6; i++) print("line " + i); throw new Error("went on");`;
  await withStep(body, async (deno) => {
    const pipe = `deno "$@" 2>"$0" | head -n 1`;
    await withFolder(async (folder) => {
      const { stdout } = await runCommand("sh", ["-c", pipe, `${folder}/stderr`, ...deno]);
      assert.equal(stdout, "line 0\n");
      assert.equal(await Deno.readTextFile(`${folder}/stderr`), "");
    });
  });
});

Deno.test("on a terminal a bar is drawn, the cursor stays, and the step exits", async () => {
  const body = `const shown = progress({ label: "counting", total: 20, unit: "texts" });
    for (let i = 1; i <= 20; i++) {
      shown.update(i, "text " + i);
      await new Promise((go) => setTimeout(go, 20));
    }
    shown.done();`;
  await withStep(body, async (deno) => {
    const command = ["deno", ...deno].map((word) => `'${word}'`).join(" ");
    const { code, stdout } = await runCommand("script", ["-qec", command, "/dev/null"]);
    assert.equal(code, 0);
    assert.match(stdout, /counting \[=+-*\] 20 of 20 texts \(100 %\).*, text 20/);
    const commands = ["\x1b[?25l", "\x1b[?7l"];
    for (const hidden of commands) assert.ok(!stdout.includes(hidden), JSON.stringify(hidden));
  }, ["--allow-env"]);
});
