import assert from "node:assert/strict";
import { withFolder } from "../../tests/support/run.ts";
import { Checkpoint } from "./checkpoint.ts";

const IDENTITY = { model: "abc", options: [1, 2] };

const open = (path: string, identity: unknown = IDENTITY) =>
  Checkpoint.open<{ value: number }>(path, identity);

Deno.test("parts are there for the next run of the same work, and for no other", () =>
  withFolder(async (folder) => {
    const path = `${folder}/sub/work.checkpoint`;
    {
      using first = await open(path);
      await first.put("en", { value: 1 });
      await first.put("日本語\n", { value: 2 });
    }
    {
      using second = await open(path);
      assert.equal(second.size, 2);
      assert.deepEqual(second.get("日本語\n"), { value: 2 });
      await second.put("en", { value: 3 });
    }
    {
      using third = await open(path);
      assert.deepEqual(third.get("en"), { value: 3 });
    }
    using other = await open(path, { ...IDENTITY, model: "def" });
    assert.equal(other.size, 0);
    using back = await open(path);
    assert.equal(back.size, 0, "other work has taken the file's place");
  }));

Deno.test("cut at any byte, whole parts stay and later ones follow them", () =>
  withFolder(async (folder) => {
    const path = `${folder}/work.checkpoint`;
    {
      using whole = await open(path);
      for (let i = 0; i < 3; i++) await whole.put(`part ${i}`, { value: i });
    }
    const bytes = await Deno.readFile(path);
    const ends = [...bytes.keys()].filter((at) => bytes[at] === 0x0a).map((at) => at + 1);
    for (let length = 0; length <= bytes.length; length++) {
      await Deno.writeFile(path, bytes.subarray(0, length));
      const whole = Math.max(0, ends.filter((end) => end <= length).length - 1);
      {
        using cut = await open(path);
        assert.equal(cut.size, whole, `cut at ${length}`);
        await cut.put("more", { value: 9 });
      }
      using again = await open(path);
      assert.equal(again.size, whole + 1);
      assert.deepEqual(again.get("more"), { value: 9 });
    }
  }));

Deno.test("once the whole is written, nothing stays", () =>
  withFolder(async (folder) => {
    const path = `${folder}/work.checkpoint`;
    using checkpoint = await open(path);
    await checkpoint.put("en", { value: 1 });
    await checkpoint.remove();
    assert.deepEqual(await Array.fromAsync(Deno.readDir(folder)), []);
  }));
