/**
 * Where a step's words go: results to stdout, everything about the run to stderr.
 *
 * Written synchronously, so that nothing is lost when the process exits and a reader who left
 * (`| head`) stops the step with `Deno.errors.BrokenPipe` instead of being ignored.
 */
const encoder = new TextEncoder();

/** Writes one result (a line or a whole table) and a line end to stdout. */
export function print(text: string): void {
  writeAll(Deno.stdout, text);
}

/** Writes one line about the run to stderr. */
export function remark(text: string): void {
  writeAll(Deno.stderr, text);
}

function writeAll(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  let bytes = encoder.encode(`${text}\n`);
  while (bytes.length > 0) bytes = bytes.subarray(stream.writeSync(bytes));
}
