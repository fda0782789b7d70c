import assert from "node:assert/strict";
import { join } from "node:path";
import { z } from "zod";
import { changeByte, filesUnder } from "../../tests/support/folders.ts";
import { withFolder } from "../../tests/support/run.ts";
import { InputError } from "../formats/input_error.ts";
import { AnswerCache } from "./answer_cache.ts";

const Kind = z.object({ text: z.string() });

Deno.test("an answer is there for the next run, and for no other question", () =>
  withFolder(async (folder) => {
    const key = AnswerCache.key({ base: "http://a/v1", question: ["ü \u2028"] });
    await (await AnswerCache.open(folder)).put(key, { text: "ä \ud800" });
    const cache = await AnswerCache.open(folder);
    assert.deepEqual(await cache.get(key, Kind), { text: "ä \ud800" });
    assert.equal(await cache.get(AnswerCache.key({ base: "http://b/v1" }), Kind), undefined);
    assert.deepEqual(await filesUnder(folder), [join(key.slice(0, 2), `${key}.json`)]);
  }));

Deno.test("a damaged answer is none, wherever the damage is", () =>
  withFolder(async (folder) => {
    const cache = await AnswerCache.open(folder);
    const key = AnswerCache.key("q");
    await cache.put(key, { text: "some answer" });
    const [name] = await filesUnder(folder);
    const path = join(folder, name);
    const { size } = await Deno.stat(path);
    // but for the line end
    for (let fromEnd = 2; fromEnd <= size; fromEnd++) {
      await changeByte(path, fromEnd);
      assert.equal(await cache.get(key, Kind), undefined, `byte ${fromEnd} from the end`);
      await changeByte(path, fromEnd);
    }
    assert.deepEqual(await cache.get(key, Kind), { text: "some answer" });
    for (let length = 0; length < size - 1; length += 7) {
      await Deno.truncate(path, length);
      assert.equal(await cache.get(key, Kind), undefined, `${length} bytes`);
      await cache.put(key, { text: "some answer" });
    }
  }));

Deno.test("the answer to another question under this one's name is none", () =>
  withFolder(async (folder) => {
    const cache = await AnswerCache.open(folder);
    const [one, other] = [AnswerCache.key("one"), AnswerCache.key("other")];
    await cache.put(one, { text: "a" });
    await cache.put(other, { text: "b" });
    const path = (key: string) => join(folder, key.slice(0, 2), `${key}.json`);
    await Deno.copyFile(path(one), path(other));
    assert.equal(await cache.get(other, Kind), undefined);
    assert.equal(await cache.get(one, z.array(z.string())), undefined);
  }));

Deno.test("a folder that cannot be written is said before anything is asked", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, "file"), "");
    await assert.rejects(AnswerCache.open(join(folder, "file", "x")), InputError);
  }));
