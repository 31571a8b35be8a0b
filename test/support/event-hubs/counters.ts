/** A receiver's attempt to attach, as it came. */
export interface AttachRecord {
  readonly hub: string;
  readonly partition: string;
  readonly group: string;
  /** The selector's text, e.g. `amqp.annotation.x-opt-offset > '123'`; null when there was none. */
  readonly filter: string | null;
  /** Owner level; null without one. */
  readonly epoch: number | null;
  readonly receiverName: string | null;
  /** True: asked for the last enqueued event with every event. */
  readonly runtimeMetric: boolean;
  /** Condition of the refusal; null when it was let in. */
  readonly refused: string | null;
}

/** A token put at `$cbs`. Whole: an identity test looks into it. */
export interface TokenRecord {
  /** E.g. `sb://127.0.0.1:5672/hub/$management`. */
  readonly audience: string;
  /** `servicebus.windows.net:sastoken` or `jwt`. */
  readonly type: string;
  readonly token: string;
  /** Status of the answer; null when none was given. */
  readonly status: number | null;
}

/** A question asked at `$management`. */
export interface ManagementRecord {
  readonly hub: string;
  /** Null: asked about the hub. */
  readonly partition: string | null;
  /** Status of the answer; null when none was given. */
  readonly status: number | null;
}

/** What clients did with the double since it began, in order. */
export class Counters {
  readonly attaches: AttachRecord[] = [];
  readonly tokens: TokenRecord[] = [];
  readonly management: ManagementRecord[] = [];
  /** Transfers of producers that were taken, and that were rejected. */
  sends = 0;
  rejectedSends = 0;
  readonly #transfers = new Map<string, number>();

  /** Attempts to attach to one partition, of any consumer group. */
  attachesOf(hub: string, partition: number): AttachRecord[] {
    return this.attaches.filter((a) => a.hub === hub && a.partition === String(partition));
  }

  /** Events sent to receivers of a partition, repeated ones included. */
  transfersOf(hub: string, partition: number): number {
    return this.#transfers.get(`${hub}/${partition}`) ?? 0;
  }

  countTransfer(hub: string, partition: number): void {
    this.#transfers.set(`${hub}/${partition}`, this.transfersOf(hub, partition) + 1);
  }
}
