import { Connector } from './history-connector.ts';
import { Database } from './history-database.ts';
import { Log } from './history-log.ts';
import { createRandom } from './history-random.ts';
import type { Random } from './history-random.ts';
import { TABLES, changedRow, movedRow, randomRow, rowIdentifier } from './history-rows.ts';
import type { Row, Table } from './history-rows.ts';
import type { Change, Transaction } from './history-changes.ts';
import type { History, Plan, Step, StepKind } from './history.ts';

const START_TIME = 1_735_689_600_000;
/** A process takes at least this long to start, so nothing it reads anew was committed in the same millisecond. */
const START_MS = 1_000;

/** Plays a plan's steps, each with the random numbers of its own seed: leaving one out does not change what the others draw. */
export function playPlan(plan: Plan): History {
  const player = new Player(plan);
  plan.steps.forEach((step, index) => {
    if (index === plan.startsAfter) player.start();
    player.play(step);
  });
  return player.finish();
}

class Player {
  readonly #plan: Plan;
  readonly #database: Database;
  readonly #log: Log;
  readonly #connector: Connector;
  readonly #epochs: number[] = [];
  #current: Random = createRandom(1);
  readonly #random: Random = {
    unit: () => this.#current.unit(),
    below: (end) => this.#current.below(end),
    chance: (probability) => this.#current.chance(probability),
    pick: (items) => this.#current.pick(items),
  };
  /**
   * Whether commits are streamed. `unseen`: the connector has not started, and its snapshot will show what is left. `down`: what is
   * committed is never streamed, and a snapshot follows; a row deleted now would never be missed, so none is.
   */
  #stream: 'unseen' | 'up' | 'down';
  /** The next transaction's sending is cut off by a crash. */
  #breaksNext = false;

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#database = new Database(this.#random, plan.firstPosition, START_TIME);
    this.#log = new Log(this.#random, plan);
    this.#connector = new Connector(this.#random, this.#log, plan.startsKnowingCommit);
    this.#stream = plan.startsAfter === null ? 'up' : 'unseen';
  }

  start(): void {
    if (this.#stream === 'unseen') this.#snapshot();
  }

  play(step: Step): void {
    this.#current = createRandom(step.seed);
    this.#tick(this.#random.pick([0, 0, 0, 1, 2, 40]));
    this.#step(step.kind);
  }

  finish(): History {
    for (let session = 0; session < this.#database.sessionCount; session++) this.#commit(session);
    if (this.#stream !== 'up') this.#snapshot();
    const [expenses, rents, properties] = TABLES.map((table) => this.#database.committedRows(table));
    return { partitions: this.#log.partitions, rows: { expenses, rents, properties }, epochs: this.#plan.declaresEpochs ? this.#epochs : [] };
  }

  #step(kind: StepKind): void {
    const session = this.#random.below(this.#database.sessionCount);
    switch (kind) {
      case 'commit': return this.#commit(session);
      case 'rollback': return this.#database.rollback(session);
      case 'tick': return this.#tick(this.#random.below(90_000));
      case 'grow': return this.#log.grow(this.#plan.partitions + 1 + this.#random.below(3));
      case 'snapshot': return this.#snapshot();
      case 'incremental': return this.#incremental();
      case 'failover': return this.#failOver();
      case 'outage': return this.#goDown();
      case 'restart': return this.#restart();
      case 'break':
        this.#breaksNext = true;
        return;
      case 'insert': case 'update': case 'move': case 'delete': case 'rekey': case 'recreate': case 'truncate': case 'slow-insert':
        this.#change(kind, session);
        if (this.#random.chance(0.4)) this.#commit(session);
    }
  }

  #change(kind: StepKind, session: number): void {
    const removes = kind === 'delete' || kind === 'rekey' || kind === 'recreate' || kind === 'truncate' || kind === 'slow-insert';
    if (removes && this.#stream === 'down') return;
    const table = this.#random.pick(['expenses', 'expenses', 'rents', 'rents', 'properties'] as const);
    if (kind === 'insert') return this.#insert(session, table);
    if (kind === 'truncate') {
      if (this.#database.canTruncate(session, table)) this.#database.truncate(session, table);
      return;
    }
    const rows = kind === 'slow-insert' ? this.#database.untouchedRows(session, table) : this.#database.changeableRows(session, table);
    if (rows.length > 0) this.#changeRow(kind, session, table, this.#random.pick(rows));
  }

  #changeRow(kind: StepKind, session: number, table: Table, row: Row): void {
    const { ids } = this.#plan.style;
    if (kind === 'update') this.#database.update(session, table, row, changedRow(this.#random, ids, table, row));
    if (kind === 'move' && table !== 'properties') this.#database.update(session, table, row, movedRow(this.#random, ids, row));
    if (kind === 'delete' || kind === 'recreate') this.#database.delete(session, table, row);
    if (kind === 'recreate') this.#database.insert(session, table, randomRow(this.#random, ids, table, row.id));
    if (kind === 'rekey') this.#rekey(session, table, row);
    if (kind === 'slow-insert') {
      const after = randomRow(this.#random, ids, table, row.id);
      this.#send(this.#database.insertWaitingForDelete(session, table, row, after));
    }
  }

  #insert(session: number, table: Table): void {
    const id = this.#freeIdentifier(session, table);
    if (id !== null) this.#database.insert(session, table, randomRow(this.#random, this.#plan.style.ids, table, id));
  }

  /** A new primary key, and sometimes other values and another property in the same statement. */
  #rekey(session: number, table: Table, row: Row): void {
    const id = this.#freeIdentifier(session, table);
    if (id === null) return;
    const { ids } = this.#plan.style;
    const changed = this.#random.chance(0.5) ? changedRow(this.#random, ids, table, row) : row;
    const moved = table !== 'properties' && this.#random.chance(0.3) ? movedRow(this.#random, ids, changed) : changed;
    this.#database.update(session, table, row, { ...moved, id, property: table === 'properties' ? String(id) : moved.property });
  }

  #freeIdentifier(session: number, table: Table): string | number | null {
    for (let tries = 0; tries < 6; tries++) {
      const id = rowIdentifier(this.#plan.style.ids, table, this.#random.below(1_000));
      if (this.#database.isFree(session, table, id)) return id;
    }
    return null;
  }

  #commit(session: number): void {
    const transaction = this.#database.commit(session);
    if (transaction !== null) this.#send(transaction);
  }

  #send(transaction: Transaction): void {
    if (this.#stream !== 'up') return;
    if (!this.#breaksNext) return this.#connector.send(transaction);
    this.#breaksNext = false;
    this.#connector.sendBroken(transaction);
    this.#tick(START_MS);
  }

  #restart(): void {
    this.#tick(START_MS);
    if (this.#stream === 'up') this.#connector.restart();
  }

  #goDown(): void {
    if (this.#stream !== 'up') return;
    this.#stream = 'down';
    this.#database.rollbackIf((changes) => changes.some(removesKey));
  }

  #snapshot(): void {
    // A truncate's lock would keep the snapshot waiting; an insert that waited for a delete is left to the stream's own tests.
    this.#database.rollbackIf((changes, waited) => waited || changes.some((change) => change.kind === 'truncate'));
    if (this.#random.chance(0.2)) this.#snapshotRows(this.#random.unit());
    this.#snapshotRows(1);
    this.#stream = 'up';
  }

  /** Sends the given share of all rows; one that is cut short is followed by a whole one. */
  #snapshotRows(share: number): void {
    this.#log.begin();
    const { own } = this.#database.commitElsewhere();
    this.#tick(START_MS);
    this.#database.raiseTimeFloor();
    const rows = TABLES.flatMap((table) => this.#database.committedRows(table).map((row) => ({ table, row })));
    const shown = rows.slice(0, Math.ceil(rows.length * share));
    this.#connector.snapshot(shown, this.#database.lsn, this.#database.now, own % 1_000);
  }

  /** One chunk of an incremental snapshot, at the moment its window closes. Rows may state a time ahead of commits still to come. */
  #incremental(): void {
    if (this.#stream !== 'up') return;
    const table = this.#random.pick(TABLES);
    if (this.#database.isTruncatedByOpenSession(table)) return;
    const { own, previousCommit } = this.#database.commitElsewhere();
    this.#log.writeOther('pg.public.signals', '{"id":"window-close"}', `{"before":null,"after":{"id":"window-close","type":"snapshot-window-close",`
      + `"data":null},"source":{"connector":"postgresql","name":"pg","ts_ms":${this.#database.now},"snapshot":"false","db":"rental",`
      + `"schema":"public","table":"signals","sequence":"[\\"${previousCommit}\\",\\"${own}\\"]","lsn":${own}},"op":"c","ts_ms":${this.#database.now}}`);
    const rows = this.#database.committedRows(table).filter(() => this.#random.chance(0.6));
    this.#connector.incremental(table, rows, previousCommit, own, () => this.#database.now + this.#random.below(200));
  }

  /** Another server takes over, its positions far below or close to the old ones; an operator notes the moment. */
  #failOver(): void {
    this.#tick(START_MS * 5);
    this.#epochs.push(this.#database.now);
    this.#tick(START_MS);
    this.#database.failOver(this.#random.pick([900_000, this.#plan.firstPosition, Math.max(8, this.#database.lsn - 200)]));
    this.#connector.forget(this.#random.chance(0.7));
    this.#log.begin();
    if (this.#random.chance(0.3)) this.#snapshot();
  }

  #tick(milliseconds: number): void {
    this.#database.tick(milliseconds);
    this.#log.setTime(this.#database.now + 40);
  }
}

/** True when a key known before is gone after. */
function removesKey(change: Change): boolean {
  return change.kind === 'delete' || change.kind === 'truncate' || (change.kind === 'update' && change.before.id !== change.after.id);
}
