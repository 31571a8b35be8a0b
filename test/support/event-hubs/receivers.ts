import type { AmqpError } from 'rhea';
import type { Subscription } from './subscription.ts';

/** Receivers without an owner level that one partition and group may have. */
const PLAIN_RECEIVERS_MAX = 5;

/** The receivers attached now, and the service's rule of who may be beside whom. */
export class Receivers {
  readonly #all = new Set<Subscription>();

  of(hub: string, partition?: number, group?: string): Subscription[] {
    return this.all().filter(({ options }) => options.hub === hub && (partition === undefined || options.partition === partition)
      && (group === undefined || options.group.toLowerCase() === group.toLowerCase()));
  }

  all(): Subscription[] {
    for (const subscription of this.#all) if (!subscription.isOpen) this.#all.delete(subscription);
    return [...this.#all];
  }

  add(subscription: Subscription): void {
    this.#all.add(subscription);
  }

  /** Why a receiver with this owner level may not come; null when it may. */
  refusal(hub: string, partition: number, group: string, epoch: number | null): AmqpError | null {
    const present = this.of(hub, partition, group);
    const highest = Math.max(-1, ...present.map(({ options }) => options.epoch ?? -1));
    if (epoch === null && highest >= 0) return { condition: 'amqp:link:stolen', description: `At least one receiver for the endpoint is created with epoch of '${highest}', and so non-epoch receiver is not allowed.` };
    if (epoch === null) {
      return present.length < PLAIN_RECEIVERS_MAX ? null
        : { condition: 'amqp:resource-limit-exceeded', description: `Exceeded the maximum number of allowed receivers per partition in a consumer group which is ${PLAIN_RECEIVERS_MAX}.` };
    }
    return highest <= epoch ? null : { condition: 'amqp:link:stolen', description: `Receiver with a higher epoch '${highest}' already exists. Receiver with epoch '${epoch}' cannot be created.` };
  }

  /** A receiver with an owner level has come: the others go. Returns how many went. */
  steal(hub: string, partition: number, group: string, epoch: number): number {
    const losers = this.of(hub, partition, group);
    for (const loser of losers) {
      loser.detach({ condition: 'amqp:link:stolen', description: `New receiver with higher epoch of '${epoch}' is created hence current receiver with epoch '${loser.options.epoch ?? 'none'}' is getting disconnected.` });
    }
    return losers.length;
  }
}
