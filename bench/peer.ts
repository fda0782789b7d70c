/**
 * Peers: Python programs (see peers/) that do the same work and time it within their own process.
 *
 * A peer is two processes. One works on a single thread and gives the CPU time: threads that wait
 * for each other spin, which would make the peer look expensive and us good. The other works on all
 * cores and gives the wall time.
 */
import { InputError } from "../lib/formats/input_error.ts";
import type { Contender, Timing } from "./measure.ts";

/** What a peer is asked to do, by the name of a function in peers/ and its arguments. */
export type PeerTask = Readonly<Record<string, string | number>> & { readonly task: string };

/** The program is not there, lacks its packages or died. */
export class NoPeer extends InputError {}

/** Environment variables. */
type Environment = Readonly<Record<string, string>>;

/** One Python process. */
class PeerProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #requests: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #answers: AsyncIterator<string>;

  constructor(command: readonly string[], threads: number, env: Environment) {
    const [program, ...args] = command;
    const count = String(threads);
    this.#child = new Deno.Command(program, {
      args,
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
      env: {
        OMP_NUM_THREADS: count,
        OPENBLAS_NUM_THREADS: count,
        MKL_NUM_THREADS: count,
        PYTHONDONTWRITEBYTECODE: "1",
        ...env,
      },
    }).spawn();
    this.#requests = this.#child.stdin.getWriter();
    this.#answers = lines(this.#child.stdout);
  }

  /** The next line of JSON. */
  // deno-lint-ignore no-explicit-any -- the shapes are those of peers/json_lines.py
  async answer(): Promise<any> {
    const { value, done } = await this.#answers.next();
    if (done) {
      const { code } = await this.#child.status;
      throw new NoPeer(
        `a peer ended with exit code ${code}, for the reason it gave above: mend it or name ` +
          `another Python with --python.`,
      );
    }
    return JSON.parse(value);
  }

  // deno-lint-ignore no-explicit-any -- as above
  async ask(request: object): Promise<any> {
    const line = new TextEncoder().encode(`${JSON.stringify(request)}\n`);
    await this.#requests.write(line).catch(() => {}); // It has ended: answer() says so.
    return await this.answer();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#requests.close().catch(() => {}); // It may have ended before us.
    await this.#child.status;
    await this.#answers.return?.();
  }
}

/** The lines of a stream of UTF-8. */
async function* lines(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    yield* parts;
  }
}

/** A peer that is ready for tasks. */
export class Peer implements AsyncDisposable {
  readonly #oneThread: PeerProcess;
  readonly #allCores: PeerProcess;

  private constructor(
    readonly label: string,
    /** Program, version and BLAS, as the peer tells them. */
    readonly description: string,
    /** The device that the peer computes on when a task says `device: "cuda"`, if it has one. */
    readonly cuda: string | undefined,
    oneThread: PeerProcess,
    allCores: PeerProcess,
  ) {
    this.#oneThread = oneThread;
    this.#allCores = allCores;
  }

  /**
   * Starts a peer.
   *
   * @param label short name, for tables
   * @param command program and arguments
   * @param env variables the program sees besides ours
   * @throws NoPeer saying what to install
   */
  static async start(
    label: string,
    command: readonly string[],
    env: Environment = {},
  ): Promise<Peer> {
    await using stack = new AsyncDisposableStack();
    const [oneThread, allCores] = [1, navigator.hardwareConcurrency].map((threads) =>
      stack.use(spawn(command, threads, env))
    );
    const [greeting] = [await oneThread.answer(), await allCores.answer()];
    if (greeting.missing !== undefined) throw new NoPeer(`${greeting.missing}`);
    stack.move();
    return new Peer(label, greeting.peer, greeting.cuda, oneThread, allCores);
  }

  /** Lets the peer make the data of a task, and forget the tasks before. */
  async prepare(task: PeerTask): Promise<Contender> {
    const [contender] = await this.prepareAll([{ name: this.label, task }]);
    return contender;
  }

  /** The same for several tasks that are to be timed side by side. */
  async prepareAll(
    tasks: readonly { readonly name: string; readonly task: PeerTask }[],
  ): Promise<Contender[]> {
    for (const process of [this.#oneThread, this.#allCores]) {
      await process.ask({ prepare: tasks.map(({ task }) => task) });
    }
    return tasks.map(({ name }, i) => ({ name, run: (repeats) => this.#run(i, repeats) }));
  }

  async #run(task: number, repeats: number): Promise<Timing> {
    const { cpu_ms } = await this.#oneThread.ask({ run: task, repeats });
    const { wall_ms } = await this.#allCores.ask({ run: task, repeats });
    return { cpuMs: cpu_ms, wallMs: wall_ms };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#oneThread[Symbol.asyncDispose]();
    await this.#allCores[Symbol.asyncDispose]();
  }
}

function spawn(command: readonly string[], threads: number, env: Environment): PeerProcess {
  try {
    return new PeerProcess(command, threads, env);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new NoPeer(`there is no program "${command[0]}": name a Python with --python.`);
  }
}
