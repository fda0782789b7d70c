import assert from "node:assert/strict";
import { babelscope, type Outcome, ROOT, runCommand, withFolder } from "./support/run.ts";

const PIN = "2.9.6";

Deno.test("without a step, or asked for help, the launcher lists all steps", async () => {
  for (const args of [[], ["--help"], ["-h"], ["help"]]) {
    const { code, stdout } = await babelscope(args);
    assert.equal(code, 0);
    for (const [name, { description }] of Object.entries(await tasks())) {
      assert.match(stdout, new RegExp(`^  ${name} +${RegExp.escape(description)}$`, "m"));
    }
  }
});

Deno.test("an unknown step is one sentence with the nearest step, and exit code 2", async () => {
  for (const step of ["identfy", "idnetify"]) {
    const { code, stdout, stderr } = await babelscope([step]);
    assert.equal(code, 2);
    assert.equal(stdout, "");
    assert.equal(stderr, `babelscope: there is no step "${step}"; did you mean "identify"?\n`);
  }
  const far = await babelscope(["--frobnicate"]);
  assert.equal(far.code, 2);
  assert.equal(far.stderr, 'babelscope: there is no step "--frobnicate".\n');
});

Deno.test("a step runs from any folder, with paths relative to that folder", async () => {
  await withFolder(async (folder) => {
    const cwd = `${folder}/with space`;
    await Deno.mkdir(cwd);
    await Deno.writeTextFile(`${cwd}/run.toml`, "wrong_key = 1\n");
    const outcome = await babelscope(["doctor", "--config", "run.toml"], { cwd });
    assert.equal(outcome.stderr, 'babelscope doctor: run.toml: unknown option "wrong_key".\n');
    assert.equal(outcome.code, 2);
  });
});

Deno.test("a folder left over in INIT_CWD does not move a step", async () => {
  await withFolder(async (cwd) => {
    await Deno.writeTextFile(`${cwd}/run.toml`, "wrong_key = 1\n");
    const env = { INIT_CWD: "/usr" };
    const { stderr } = await babelscope(["doctor", "--config", "run.toml"], { cwd, env });
    assert.match(stderr, /run\.toml: unknown option "wrong_key"/);
  });
});

Deno.test("arguments arrive as they were given", async () => {
  const name = `a "quoted" $HOME * 'value'`;
  const { stderr } = await babelscope(["doctor", "--config", name]);
  assert.ok(stderr.includes(`--config ${name}: there is no such file`), stderr);
});

Deno.test("the launcher can be called through links", async () => {
  await withFolder(async (folder) => {
    await Deno.symlink(`${ROOT}babelscope`, `${folder}/first`);
    await Deno.symlink("first", `${folder}/second`);
    const { code, stdout } = await runCommand(`${folder}/second`, []);
    assert.equal(code, 0);
    assert.match(stdout, /^Usage: babelscope/);
  });
});

Deno.test("without the pinned Deno, npx brings it", async () => {
  await withPath({ deno: otherDeno, npx: fakeNpx }, async (launch, folder) => {
    const { code, stderr, stdout } = await launch(["doctor", "--help"]);
    assert.equal(stderr, "");
    assert.equal(code, 0);
    assert.match(stdout, /^Usage: doctor/);
    const asked = await Deno.readTextFile(`${folder}/npx-asked`);
    assert.equal(asked, `-y deno@${PIN}\n`);
  });
});

Deno.test("a failing npx ends in one sentence", async () => {
  await withPath({ npx: "exit 1" }, async (launch) => {
    const { code, stderr } = await launch(["doctor"]);
    assert.equal(code, 2);
    assert.match(stderr, /^babelscope: Deno 2\.9\.6 could not be fetched with npx; .*\n$/);
  });
});

Deno.test("without Deno and npx, the launcher says how to install Deno", async () => {
  for (const programs of [{}, { deno: otherDeno }] as Record<string, string>[]) {
    await withPath(programs, async (launch) => {
      const { code, stderr } = await launch(["doctor"]);
      assert.equal(code, 2);
      assert.equal(
        stderr,
        `babelscope: Deno ${PIN} is needed and neither it nor npx is on PATH; install it with: ` +
          `curl -fsSL https://deno.land/install.sh | sh -s v${PIN}\n`,
      );
    });
  }
});

Deno.test("every step has a description and names its permissions", async () => {
  for (const [name, { description, command }] of Object.entries(await tasks())) {
    assert.match(description, /^[A-Z].*\.$/, name);
    assert.doesNotMatch(command, / (-A|--allow-all)\b/, name);
  }
});

Deno.test("a script runs by itself with the permissions of its task", async () => {
  const commands = Object.values(await tasks()).map(({ command }) => command);
  for await (const { name } of Deno.readDir(`${ROOT}scripts`)) {
    if (!name.endsWith(".ts")) continue;
    const [shebang] = (await Deno.readTextFile(`${ROOT}scripts/${name}`)).split("\n");
    const task = commands.find((command) => command.includes(`/scripts/${name}`));
    assert.ok(task, `scripts/${name} has no task in deno.json`);
    assert.match(shebang, /^#!\/usr\/bin\/env -S deno run /, name);
    assert.deepEqual(permissions(shebang), permissions(task), name);
    const { mode } = await Deno.stat(`${ROOT}scripts/${name}`);
    assert.ok(mode! & 0o100, `scripts/${name} is not executable`);
  }
});

interface Task {
  readonly description: string;
  readonly command: string;
}

async function tasks(): Promise<Record<string, Task>> {
  return JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`)).tasks;
}

function permissions(command: string): string[] {
  return (command.match(/--allow-\S+/g) ?? []).sort();
}

/** A Deno that is not the pinned one, and that must not be used for anything else. */
const otherDeno = '[ "$*" = --version ] && echo "deno 1.46.3 (release)"';

/** Notes the package that it is asked for and runs the Deno of this test. */
const fakeNpx = `echo "$1 $2" > "\${0%/*}/npx-asked"; shift 2; exec "${Deno.execPath()}" "$@"`;

/** Gives a launcher with only these programs (and what the shell needs) on PATH. */
async function withPath(
  programs: Record<string, string>,
  body: (launch: (args: string[]) => Promise<Outcome>, folder: string) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    for (const [name, script] of Object.entries(programs)) {
      await Deno.writeTextFile(`${folder}/${name}`, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    }
    await Deno.symlink("/usr/bin/dirname", `${folder}/dirname`);
    const env = { PATH: folder, HOME: Deno.env.get("HOME") ?? folder };
    await body((args) => babelscope(args, { env, clearEnv: true }), folder);
  });
}
