import assert from "node:assert/strict";
import { InputError } from "../../formats/input_error.ts";
import { checkListening, checkPort, isOwnOrigin, knownHosts } from "./access.ts";

Deno.test("only this machine's own addresses are listened at, unless others are let in by name", () => {
  for (const host of ["127.0.0.1", "127.8.0.1", "::1", "localhost"]) {
    checkListening({ host, port: 1 });
  }
  for (const host of ["0.0.0.0", "::", "192.168.1.2", "127.0.0.1.example.org", "example.org"]) {
    assert.throws(() => checkListening({ host, port: 1 }), InputError);
    checkListening({ host, port: 1, allowRemote: "lab.example.org" });
  }
  const named = { host: "0.0.0.0", port: 1, allowRemote: "lab example" };
  assert.throws(() => checkListening(named), InputError);
});

Deno.test("a port in use is refused before any work", () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  assert.throws(() => checkPort({ host: "127.0.0.1", port }), /is in use; name another by --port/);
});

Deno.test("the names of the explorer, and no others", () => {
  const own = knownHosts({ host: "127.0.0.1", port: 0 }, 8765);
  for (const host of ["127.0.0.1:8765", "localhost:8765", "[::1]:8765"]) assert.ok(own.has(host));
  for (
    const host of ["", "localhost", "localhost:80", "evil.example:8765", "127.0.0.1.evil:8765"]
  ) {
    assert.ok(!own.has(host), host);
  }
  const remote = knownHosts({ host: "0.0.0.0", port: 0, allowRemote: "Lab.example.org" }, 80);
  assert.ok(remote.has("lab.example.org") && remote.has("lab.example.org:80"));
});

Deno.test("runs are asked for by the explorer's own pages", () => {
  assert.ok(isOwnOrigin("http://localhost:8765", "localhost:8765"));
  for (const origin of [undefined, "null", "http://localhost:1", "http://evil.example"]) {
    assert.ok(!isOwnOrigin(origin, "localhost:8765"));
  }
});
