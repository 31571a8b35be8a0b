import type { Books } from '../ledger/ledger.ts';
import type {
  CheckpointOutcome, CheckpointRequest, Role, SnapshotOptions, Snapshots, SnapshotStatus, Step,
} from './checkpointer.ts';
import { planCompaction, type Merge } from './compaction-plan.ts';
import { CutWriter, type CutParts } from './cut-writer.ts';
import { Damage } from './damage.ts';
import { createLineageId, createNames, dataFileName, type Names } from './names.ts';
import { ParquetPublication } from './parquet-publish.ts';
import { tryToPrune } from './prune.ts';
import type { Attempts } from './publish.ts';
import { restoreNewest, type RestoreResult } from './restore.ts';
import { confirmStanding, describeStanding, isStateOf, NOWHERE, type Standing } from './standing.ts';
import type { Lease, LeaseHeld } from './store.ts';

/** `Snapshots` over a store: role, standing, and one checkpoint at a time. */
export class SnapshotKeeper implements Snapshots {
  readonly #options: SnapshotOptions;
  readonly #names: Names;
  readonly #attempts: Attempts = new Map();
  #lease: Lease | null = null;
  #reason: string | null = 'it has not asked for the lease yet';
  #standing: Standing = NOWHERE;
  /** True once the standing was compared with the store under the lease held now. */
  #confirmed = false;
  #newLineage: string | null = null;
  #filesNamed = 0;
  #merge: Merge | null = null;
  readonly #inUse = new Set<string>();
  #checkpoints: Promise<unknown> = Promise.resolve();
  #pruning: Promise<void> | null = null;
  #merging: Promise<void> | null = null;
  #mergeFailure: Error | null = null;
  #isClosed = false;

  constructor(options: SnapshotOptions) {
    this.#options = options;
    this.#names = createNames(options.prefix);
  }

  status(): SnapshotStatus {
    return { role: this.#role(), reason: this.#reason, ...describeStanding(this.#standing) };
  }

  async claim(): Promise<Role> {
    if (this.#mayPublish()) return 'publisher';
    let ended = false;
    let answer: Lease | LeaseHeld | null = null;
    answer = await this.#options.store.acquireLease(this.#options.writer, (reason) => {
      ended = true;
      if (this.#lease === answer) this.#standBy(reason);
    }).catch((error: Error) => {
      this.#reason = `the store could not be asked for the lease: ${error.message}`;
      throw error;
    });
    if (!answer.held) this.#reason = `${answer.by} publishes`;
    if (!answer.held) return 'standby';
    if (this.#isClosed) await answer.release();
    if (ended || this.#isClosed) return 'standby';
    this.#lease = answer;
    this.#reason = null;
    this.#confirmed = false;
    return 'publisher';
  }

  async restore(createBooks: () => Books): Promise<RestoreResult> {
    const { store, work } = this.#options;
    const result = await restoreNewest({ store, names: this.#names, work, createBooks, reportUnexplained: this.#role() === 'publisher' });
    const manifest = result.kind === 'restored' ? result.manifest : null;
    this.#standing = { lineage: result.lineage, head: manifest, parent: manifest, highest: result.kind === 'restored' ? result.highest : 0 };
    return result;
  }

  checkpoint(request: CheckpointRequest): Promise<CheckpointOutcome> {
    const next = this.#checkpoints.then(() => this.#checkpoint(request));
    this.#checkpoints = next.catch(() => undefined);
    return next;
  }

  async #checkpoint(request: CheckpointRequest): Promise<CheckpointOutcome> {
    const barred = await this.#confirm(request);
    if (barred !== null) return { kind: 'standby', reason: barred };
    await this.#step('head-confirmed');
    const parquet = await this.#prepareParquet(request);
    try {
      const { head } = this.#standing;
      const settled = parquet?.settled ?? null;
      if (settled !== null && request.parquet?.isReason === true) return { kind: 'skipped', parquet: settled };
      if (parquet !== null && settled === null && head !== null && isStateOf(head, request)) {
        parquet.take(request.state.books);
        return { kind: 'unchanged', generation: head.generation, positions: head.positions, parquet: await parquet.publish(head) };
      }
      return await this.#writeGeneration(request, parquet);
    } finally {
      parquet?.end();
    }
  }

  async #writeGeneration(request: CheckpointRequest, parquet: ParquetPublication | null): Promise<CheckpointOutcome> {
    const merge = this.#merge;
    const written = await new CutWriter(this.#cutParts(() => parquet?.take(request.state.books)), request).write();
    if (written.kind === 'fenced') {
      this.#standBy(written.by);
      return { kind: 'standby', reason: written.by };
    }
    // Used now, or never fitting again.
    if (merge !== null && merge === this.#merge) this.#clearMerge();
    const { manifest, rows, bytes, ms } = written;
    this.#standing = { lineage: manifest.lineage, head: manifest, parent: manifest, highest: manifest.generation };
    const durable = { generation: manifest.generation, rows, bytes, ms };
    request.onDurable?.(durable);
    return { kind: 'published', ...durable, positions: manifest.positions, parquet: await parquet?.publish(manifest) ?? null };
  }

  async #prepareParquet(request: CheckpointRequest): Promise<ParquetPublication | null> {
    if (request.parquet === undefined || request.parquet === null) return null;
    const { lineage, head, highest } = this.#standing;
    const isUnchanged = head !== null && isStateOf(head, request);
    const current = head !== null && (isUnchanged || request.parquet.mayStand) ? head.generation : null;
    const parts = { options: this.#options, names: this.#names, mayPublish: () => this.#mayPublish(), step: (step: Step) => this.#step(step) };
    return ParquetPublication.prepare(parts, request, request.parquet, { lineage, current, generation: isUnchanged ? head.generation : highest + 1 });
  }

  /** Null when we may publish; otherwise why not. */
  async #confirm(request: CheckpointRequest): Promise<string | null> {
    if (!this.#mayPublish()) return this.#reason ?? 'the lease has run out';
    const { store } = this.#options;
    const confirmation = await confirmStanding(store, this.#names, this.#standing, this.#attempts, { decoding: request.decoding, positions: request.state.positions() });
    if (confirmation.kind === 'barred') return confirmation.reason;
    if (confirmation.kind === 'overtaken') {
      // Under a lease held since the last look nobody else may publish: then ours was taken without our knowing.
      if (this.#confirmed) {
        this.#standBy(`${confirmation.by} was published while this process held the lease`);
        return this.#reason;
      }
      this.#clearMerge();
    }
    this.#standing = confirmation.standing;
    if (confirmation.kind === 'confirmed' && confirmation.lost !== null) this.#beginAnew(confirmation.lost);
    this.#confirmed = true;
    return null;
  }

  #cutParts(atCut: () => void): CutParts {
    return {
      options: this.#options, names: this.#names, standing: this.#standing, merge: this.#merge, attempts: this.#attempts, atCut,
      newLineage: () => (this.#newLineage ??= createLineageId(this.#options.clock.now())), nextFile: () => ++this.#filesNamed, mayPublish: () => this.#mayPublish(), step: (step) => this.#step(step),
    };
  }

  #mayPublish(): boolean {
    return this.#lease?.valid() === true;
  }

  async maintain(): Promise<void> {
    const { lineage } = this.#standing;
    if (lineage === null || !this.#confirmed || this.#isClosed || !this.#mayPublish()) return;
    this.#pruning ??= this.#prune(lineage).finally(() => { this.#pruning = null; });
    await this.#pruning;
    this.#merging ??= this.#compact(lineage).catch((error: unknown) => this.#mergeFailed(error)).finally(() => { this.#merging = null; });
  }

  async settled(): Promise<void> {
    await this.#merging;
    const failure = this.#mergeFailure;
    this.#mergeFailure = null;
    if (failure !== null) throw failure;
  }

  async #prune(lineage: string): Promise<void> {
    await this.#step('prune-begun');
    const failure = await tryToPrune({ store: this.#options.store, names: this.#names, lineage, inUse: this.#inUse, onStep: (step) => this.#step(step) });
    if (failure !== null) this.#options.notify({ code: 'CHECKPOINT_FAILED', message: `old generations could not be removed: ${failure.message}; it is tried again after the next checkpoint` });
  }

  #mergeFailed(error: unknown): void {
    if (this.#isClosed) return;
    this.#mergeFailure = error instanceof Error ? error : new Error(String(error));
    this.#options.notify({ code: 'CHECKPOINT_FAILED', message: `segments could not be merged: ${this.#mergeFailure.message}; it is tried again after the next checkpoint` });
  }

  async #compact(lineage: string): Promise<void> {
    const { head } = this.#standing;
    if (head === null || this.#merge !== null) return;
    const { segments } = head.parts[0];
    const plan = planCompaction(segments);
    if (plan === null) return;
    const rowsName = dataFileName(head.generation, this.#options.writer, ++this.#filesNamed);
    const accountsName = dataFileName(head.generation, this.#options.writer, ++this.#filesNamed);
    this.#inUse.add(rowsName).add(accountsName);
    const inputs = segments.slice(plan.from);
    try {
      await this.#step('compaction-begun');
      if (this.#isClosed) return;
      const target = { kind: plan.kind, folder: this.#names.lineage(lineage), rowsName, accountsName, partitions: head.positions };
      const result = await this.#options.work.compact({ target, inputs });
      await this.#step('compaction-written');
      this.#merge = { inputs: inputs.map((segment) => segment.rows.name), result };
    } catch (error) {
      this.#inUse.clear();
      if (!(error instanceof Damage)) throw error;
      this.#beginAnew(`while merging segments: ${error.message}`);
    }
  }

  async close(): Promise<void> {
    await this.#checkpoints;
    this.#isClosed = true;
    // Ends a merge under way; the next process begins it again.
    await this.#options.work.close();
    await this.#pruning?.catch(() => undefined);
    await this.#merging;
    const lease = this.#lease;
    this.#lease = null;
    this.#reason = 'it is closing';
    await lease?.release();
  }

  #role(): Role {
    return this.#lease?.valid() === true ? 'publisher' : 'standby';
  }

  #standBy(reason: string): void {
    const lease = this.#lease;
    this.#lease = null;
    this.#confirmed = false;
    this.#reason = reason;
    void lease?.release().catch(() => undefined);
    this.#options.notify({ code: 'LEASE_LOST', message: `this process stands by: ${reason}` });
  }

  /** What is in memory is sound, and the files our generation stands on are not. */
  #beginAnew(why: string): void {
    this.#clearMerge();
    this.#standing = { ...this.#standing, head: null };
    this.#options.notify({ code: 'GENERATION_UNUSABLE', message: `${why}; the next checkpoint writes every row anew` });
  }

  #clearMerge(): void {
    this.#merge = null;
    this.#inUse.clear();
  }

  async #step(step: Step): Promise<void> {
    await this.#options.onStep?.(step);
  }
}
