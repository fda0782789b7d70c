/**
 * Bad input: a file, an option or a text that cannot be used as it is.
 *
 * The message is one sentence that says what is wrong, where, what was expected and what to do. The
 * command line prints it without a stack trace and exits with code 2; every other error is a defect
 * of the program and keeps its stack.
 *
 * Names and values of hostile files go into messages, so here, once for all, a message is made one
 * line of bounded length: control characters, which steer terminals, and line ends become spaces,
 * and what is too long loses its middle.
 */
export class InputError extends Error {
  override readonly name = "InputError";

  constructor(message: string, options?: ErrorOptions) {
    super(oneLine(message), options);
  }
}

/** Longest message, in UTF-16 code units: a path of the longest names that there are, and words. */
const MAX_LENGTH = 1500;

function oneLine(message: string): string {
  const middle = MAX_LENGTH / 2;
  const short = message.length > MAX_LENGTH
    ? `${message.slice(0, middle)} … ${message.slice(3 - middle)}`
    : message;
  return short.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").toWellFormed();
}
