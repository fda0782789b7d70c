import assert from "node:assert/strict";
import { checkRepoRef, describeRepo, isSafePath, parseRepoRef } from "./repo.ts";

Deno.test("owner/name and owner/name@revision name repositories", () => {
  const main = { kind: "model", id: "meta-llama/Llama-3.2-1B", revision: "main" };
  assert.deepEqual(parseRepoRef("meta-llama/Llama-3.2-1B", "model"), main);
  const revisions = ["v1.0", "refs/pr/1", "0123456789abcdef0123456789abcdef01234567", "a-b_c"];
  for (const revision of revisions) {
    const expected = { kind: "dataset", id: "facebook/xnli", revision };
    assert.deepEqual(parseRepoRef(`facebook/xnli@${revision}`, "dataset"), expected);
  }
});

Deno.test("whatever is no repository is left to others: paths, words, names that could leave a folder", () => {
  const others = [
    ...["", "udhr", "gpt2", "/data/model", "./data/model", "../model", "data/", "/data", "a/b/c"],
    ...["a\\b", "C:/model", "a/b.git", "a/b--c", "a/..", "a/b..c", ".a/b", "a/-b", "a b/c", "~/x"],
    ...["a/b@", "a/b@../x", "a/b@x/../y", "a/b@/x", "a/b@x\\y", "a/b@a b", "a/b@x@y", "a/b@-x"],
    ...["a/b@x:y", "a/b@refs//x", `a/${"b".repeat(97)}`, `a/b@${"c".repeat(256)}`, "a/b@\0"],
  ];
  for (const text of others) assert.equal(parseRepoRef(text, "model"), undefined, text);
});

Deno.test("a repository is described, and one that cannot be is refused", () => {
  assert.equal(
    describeRepo({ kind: "dataset", id: "a/b", revision: "refs/pr/1" }),
    "the data set a/b at refs/pr/1",
  );
  assert.throws(() => checkRepoRef({ kind: "model", id: "../../etc", revision: "main" }), {
    name: "InputError",
    message: /^"..\/..\/etc@main" names no repository of a hub, expected owner\/name /,
  });
});

Deno.test("paths that lead out of a folder on some system are unsafe", () => {
  for (const path of ["a", "a/b c.json", ".gitattributes", "a..b/...", "é/文.txt"]) {
    assert.ok(isSafePath(path), path);
  }
  for (
    const path of ["", "/a", "a/", "a//b", "..", "a/../b", "./a", "a\\b", "C:x", "a\0", "a\nb"]
  ) {
    assert.ok(!isSafePath(path), path);
  }
});
