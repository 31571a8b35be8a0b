import type { AmqpError } from 'rhea';

/** How fast events go to a partition's receivers: so many, then a pause; or none, while the link stays open. */
export type Pace = { readonly events: number; readonly everyMs: number } | 'stopped';

/** What goes wrong when one partition is read. */
export class PartitionFaults {
  pace: Pace | null = null;
  /** Events still to send before they are sent once more from `from` on. */
  repeat: { left: number; from: number | null } | null = null;
  /** Events that will not be sent. */
  skip = 0;
  /** Refusals of the next receivers. */
  refusals: AmqpError[] = [];
}

/** An answer of the double instead of the one that was asked for. */
export interface StatusFault {
  readonly status: number;
  readonly description: string;
  /** Condition of the error beside the status, where the service gives one. */
  readonly condition?: string;
}

/** What goes wrong besides, and how often it still does. */
export class ServiceFaults {
  /** Answers to tokens; `silent`: none, nor to any other of its connection. */
  readonly tokens: (StatusFault | 'silent')[] = [];
  /** Answers of `$management`; `silent`: none. */
  readonly management: (StatusFault | 'silent')[] = [];
  /** Answers to what producers send. */
  readonly sends: AmqpError[] = [];
  readonly #partitions = new Map<string, PartitionFaults>();

  of(hub: string, partition: number): PartitionFaults {
    const name = `${hub}/${partition}`;
    const faults = this.#partitions.get(name) ?? new PartitionFaults();
    this.#partitions.set(name, faults);
    return faults;
  }
}

/** The same fault so many times. */
export function times<F>(count: number, fault: F): F[] {
  return Array.from({ length: count }, () => fault);
}
