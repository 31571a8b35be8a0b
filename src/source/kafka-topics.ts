import type { TopicMetadata } from './kafka-cluster.ts';
import { KAFKA_ERROR } from './kafka-errors.ts';

/** Kafka's own topics, which a pattern never means, also where the broker does not mark them. */
const INTERNAL = ['__consumer_offsets', '__transaction_state'];

/** Which topics are meant by `RENTFOLD_KAFKA_TOPICS`: names, and patterns in which `*` stands for any characters. */
export class TopicSelection {
  /** What to ask the cluster for; null: all topics, because only then do those of a pattern show. */
  readonly names: readonly string[] | null;
  readonly #named: ReadonlySet<string>;
  readonly #patterns: readonly { readonly text: string; readonly form: RegExp }[];

  constructor(topics: readonly string[]) {
    this.#named = new Set(topics.filter((topic) => !topic.includes('*')));
    this.#patterns = topics.filter((topic) => topic.includes('*')).map((text) => ({ text, form: new RegExp(`^${text.split('*').map(escaped).join('.*')}$`) }));
    this.names = this.#patterns.length > 0 ? null : [...this.#named];
  }

  /** True for a topic that is to be read. */
  means({ topic, isInternal }: { readonly topic: string; readonly isInternal: boolean }): boolean {
    if (this.#named.has(topic)) return true;
    return !isInternal && !INTERNAL.includes(topic) && this.#patterns.some(({ form }) => form.test(topic));
  }

  /** Named topics that are not there yet, and patterns that no topic fits yet. */
  waiting(topics: readonly TopicMetadata[]): string[] {
    const there = topics.filter((topic) => topic.error !== KAFKA_ERROR.unknownTopicOrPartition && this.means(topic));
    const names = new Set(there.map(({ topic }) => topic));
    return [...[...this.#named].filter((name) => !names.has(name)), ...this.#patterns.filter(({ form }) => !there.some(({ topic }) => form.test(topic))).map(({ text }) => text)];
  }
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
