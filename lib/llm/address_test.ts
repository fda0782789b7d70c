import assert from "node:assert/strict";
import { InputError } from "../formats/input_error.ts";
import { endpointAddress } from "./address.ts";

const KEYS = {
  OPENROUTER_API_KEY: "sk-or-1",
  OPENAI_API_KEY: "sk-oa-2",
  BABELSCOPE_API_KEY: "sk-babel-3",
};

function address(url: string, keys: Record<string, string> = KEYS) {
  return endpointAddress(url, (name) => keys[name]);
}

function refused(url: string, keys: Record<string, string>, why: RegExp): void {
  assert.throws(() => address(url, keys), (error: Error) => {
    assert.ok(error instanceof InputError);
    assert.match(error.message, why);
    assert.match(error.message, /^[^\n]+\.$/);
    for (const secret of [...Object.values(keys).filter((key) => key.trim()), "hunter2"]) {
      assert.ok(!error.message.includes(secret), error.message);
    }
    return true;
  });
}

Deno.test("the key is the one of the host", () => {
  const variable = (url: string, keys?: Record<string, string>) => address(url, keys).key?.variable;
  assert.equal(variable("https://openrouter.ai/api/v1"), "OPENROUTER_API_KEY");
  assert.equal(variable("https://api.openai.com/v1"), "OPENAI_API_KEY");
  assert.equal(variable("https://eu.api.openai.com/v1"), "OPENAI_API_KEY");
  assert.equal(variable("https://notopenai.com/v1"), "BABELSCOPE_API_KEY");
  assert.equal(variable("https://openai.com.evil.example/v1"), "BABELSCOPE_API_KEY");
  assert.equal(variable("http://127.0.0.1:8080/v1"), "BABELSCOPE_API_KEY");
  const any = { BABELSCOPE_API_KEY: "sk-babel-3" };
  assert.equal(variable("https://openrouter.ai/api/v1", any), "BABELSCOPE_API_KEY");
  assert.equal(variable("https://models.example/v1", { OPENAI_API_KEY: "x" }), undefined);
});

Deno.test("the base has neither a final slash nor the path of a question", () => {
  for (const end of ["", "/", "//", "/chat/completions", "/chat/completions/"]) {
    assert.equal(
      address(`https://openrouter.ai/api/v1${end}`).base,
      "https://openrouter.ai/api/v1",
    );
  }
  assert.equal(address("http://localhost:11434").base, "http://localhost:11434");
});

Deno.test("where a key is needed and missing, it is said which", () => {
  refused("https://openrouter.ai/api/v1", {}, /openrouter\.ai needs a key; set OPENROUTER_API_KEY/);
  refused("https://api.openai.com/v1", { OPENAI_API_KEY: " " }, /set OPENAI_API_KEY/);
  assert.equal(address("https://models.example/v1", {}).key, undefined);
});

Deno.test("no key goes over plain http, but within this machine", () => {
  const loopback = ["127.0.0.1", "127.9.9.9", "127.1", "0x7f000001", "2130706433", "localhost"];
  for (const host of [...loopback, "LOCALHOST", "a.localhost", "[::1]", "[0:0::1]"]) {
    assert.ok(address(`http://${host}:1/v1`).loopback, host);
  }
  const others = ["10.0.0.5", "localhost.example", "127.0.0.1.example", "[::2]", "0.0.0.0"];
  for (const host of others) {
    refused(`http://${host}/v1`, KEYS, /BABELSCOPE_API_KEY would travel to .* in the clear/);
    assert.equal(address(`http://${host}/v1`, {}).loopback, false);
  }
  refused("http://openrouter.ai/api/v1", KEYS, /in the clear/);
});

Deno.test("an address with secrets in it, or of no web, is refused without repeating it", () => {
  for (const url of ["https://me:hunter2@x.example/v1", "https://x.example/v1?key=hunter2"]) {
    refused(url, {}, /holds a user, a password or a query.*BABELSCOPE_API_KEY/);
  }
  for (const url of ["hunter2", "ftp://x.example", "file:///hunter2", "", "127.0.0.1:8080"]) {
    refused(url, {}, /no address of the web; write one such as/);
  }
});

Deno.test("a key that no header can hold is refused, line ends around one are not", () => {
  const url = "https://models.example/v1";
  refused(url, { BABELSCOPE_API_KEY: "two words" }, /spaces or letters that no key has/);
  refused(url, { BABELSCOPE_API_KEY: "ключ" }, /spaces or letters/);
  const { key } = address(url, { BABELSCOPE_API_KEY: "sk-1\n" });
  assert.equal(key?.authorization, "Bearer sk-1");
});

Deno.test("printing a key, or writing it as JSON, does not tell it", () => {
  const found = address("https://models.example/v1");
  for (const text of [JSON.stringify(found), Deno.inspect(found), `${found.key}`]) {
    assert.ok(!text.includes("sk-babel-3"), text);
  }
  assert.equal(
    found.key?.redact("Bearer sk-babel-3, sk-babel-3"),
    "Bearer [BABELSCOPE_API_KEY], [BABELSCOPE_API_KEY]",
  );
});

Deno.test("a word that stands for no key at all may be in answers", () => {
  const { key } = address("http://127.0.0.1/v1", { BABELSCOPE_API_KEY: "none" });
  assert.equal(key?.redact("none of these"), "none of these");
});
