/**
 * Bad input: a file, an option or a text that cannot be used as it is.
 *
 * The message is one sentence that says what is wrong, where, what was expected and what to do. The
 * command line prints it without a stack trace and exits with code 2; every other error is a defect
 * of the program and keeps its stack.
 */
export class InputError extends Error {
  override readonly name = "InputError";
}
