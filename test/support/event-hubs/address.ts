/** Where a client's link leads. */
export type Address =
  | { readonly kind: 'cbs' }
  | { readonly kind: 'management' }
  | { readonly kind: 'receive'; readonly hub: string; readonly group: string; readonly partition: string }
  | { readonly kind: 'send'; readonly hub: string; readonly partition: string | null };

/** Reads an address as the client writes it, e.g. `hub/ConsumerGroups/$Default/Partitions/0`. Null when it is none. */
export function parseAddress(address: string): Address | null {
  if (address === '$cbs') return { kind: 'cbs' };
  if (address === '$management') return { kind: 'management' };
  const [, receiveHub, group, partition] = /^([^/]+)\/ConsumerGroups\/([^/]+)\/Partitions\/([^/]+)$/i.exec(address) ?? [];
  if (receiveHub !== undefined) return { kind: 'receive', hub: receiveHub, group, partition };
  const [, sendHub, sendPartition] = /^([^/]+)(?:\/Partitions\/([^/]+))?$/i.exec(address) ?? [];
  return sendHub === undefined ? null : { kind: 'send', hub: sendHub, partition: sendPartition ?? null };
}

/** A partition's number from its id in an address; null when it is not written as one. */
export function partitionNumber(id: string): number | null {
  return /^\d{1,4}$/.test(id) ? Number(id) : null;
}
