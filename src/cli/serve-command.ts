import type { Config } from '../config.ts';
import { isReady } from '../control-state.ts';
import type { Control } from '../control.ts';
import { RentfoldError } from '../errors.ts';
import { createBooks } from '../ledger/books.ts';
import type { Books } from '../ledger/ledger.ts';
import { runPipeline } from '../pipeline.ts';
import { buildApp, listen } from '../read/app.ts';
import { createReadModel } from '../read/read-model.ts';
import type { Logger } from '../runtime/log.ts';
import type { OpenedLog } from '../source/source.ts';
import { createState, type State } from '../state.ts';
import { checkpointsOf } from './checkpoints.ts';
import { closeAll, unlessEnded } from './ending.ts';
import { claimFirst, claimLoop, openLog, prepareFolding, restoreState, type Folding, type FoldingParts, type RestoredState } from './folding.ts';

/** Everything `serve` needs from the outside. */
export interface ServeParts extends FoldingParts {
  readonly versions: Readonly<Record<string, string>>;
  /** Said once when figures can be read: what to open and try. */
  readonly hint: (url: string) => string;
}

/**
 * Restores, follows, checkpoints and answers until asked to end. Throws a `RentfoldError` when it cannot begin, or when the last checkpoint could not
 * be written; what goes wrong between is shown in health and status, and the process stays up. Asked to end before it could begin, it just ends.
 */
export async function serve(parts: ServeParts): Promise<void> {
  const { config, log, clock, store, ingest, shutdown } = parts;
  const folding = prepareFolding(parts);
  const { control, events, snapshots } = folding;
  const held = new HeldState(createState(createBooks(folding.definitions)));
  const app = buildApp(createReadModel({ state: held, control, clock, timeZone: config.decode.timeZone }), { readToken: config.readToken, versions: parts.versions, logger: log });
  const stopped = new AbortController();
  const running = AbortSignal.any([shutdown, stopped.signal]);
  let closing: Promise<void> | null = null;
  const closePort = (): Promise<void> => {
    control.closing();
    return closing ??= app.close().then(() => log.info('the port is closed'));
  };
  shutdown.addEventListener('abort', () => void closePort().catch(() => undefined), { once: true });
  let roles: Promise<void> = Promise.resolve();
  const work = async (): Promise<void> => {
    const url = await listenAt(app, config);
    log.info({ url }, 'listening');
    announceReadiness(control, log, parts.hint(url));
    const begun = await unlessEnded(begin(folding, held), shutdown);
    if (begun === null) return;
    const { restored, opened } = begun;
    roles = claimLoop(folding, running);
    await runPipeline({
      ingest, state: restored.state, clock, events, options: config, until: 'asked', reachedEndAtStart: () => isReady(control.state()),
      ...checkpointsOf(folding, restored, opened, stopped.signal),
    }, running);
  };
  try {
    await work();
  } finally {
    stopped.abort();
    const closed = closePort();
    await closeAll(log, [() => roles, () => ingest.close(), () => snapshots.close(), () => store.close(), () => closed]);
  }
}

/** Store, lease, state, source. Without the lease it all goes on, as a stand-by. */
async function begin(folding: Folding, held: HeldState): Promise<{ readonly restored: RestoredState; readonly opened: OpenedLog }> {
  const { parts } = folding;
  await parts.store.open();
  await claimFirst(folding);
  const restored = await restoreState(folding);
  held.state = restored.state;
  if (parts.shutdown.aborted) throw new Error('asked to end before the source was opened');
  return { restored, opened: await openLog(folding, restored.state) };
}

/** The state answers are made of: empty until restored. */
class HeldState {
  state: State;

  constructor(state: State) {
    this.state = state;
  }

  get books(): Books {
    return this.state.books;
  }

  get newestChangeAt(): number | null {
    return this.state.newestChangeAt;
  }

  counters(): ReturnType<State['counters']> {
    return this.state.counters();
  }
}

async function listenAt(app: Parameters<typeof listen>[0], config: Config): Promise<string> {
  try {
    return await listen(app, config.host, config.port);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'EADDRINUSE' ? `port ${config.port} is in use` : code === 'EACCES' ? `port ${config.port} needs rights this process does not have` : message;
    throw new RentfoldError('CONFIGURATION_INVALID', `RENTFOLD_HOST, RENTFOLD_PORT: cannot listen on ${config.host}:${config.port}: ${why}`, { cause: error });
  }
}

function announceReadiness(control: Control, log: Logger, hint: string): void {
  const unsubscribe = control.subscribe((_patches, state) => {
    if (!isReady(state)) return;
    unsubscribe();
    log.info({ partitions: Object.keys(state.partitions).length, ms: (state.readyAt ?? 0) - state.startedAt }, `ready: ${hint}`);
  });
}
