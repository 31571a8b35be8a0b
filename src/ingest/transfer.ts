import type { BatchLetter, ChangeBatch } from '../change/change.ts';

/** A batch ready to be posted to another thread: `buffers` are moved, not copied, and gone for the sender. */
export interface TransferableBatch {
  readonly batch: ChangeBatch;
  readonly buffers: readonly ArrayBuffer[];
}

/**
 * Names every typed array of a batch for moving. The arrays must belong to the batch alone. Bytes of dead letters that are a part of something larger are copied
 * first: cloning a view clones all that lies under it.
 */
export function prepareTransfer(batch: ChangeBatch): TransferableBatch {
  const letters = batch.letters.map(ownBytes);
  const buffers = new Set<ArrayBuffer>();
  for (const value of Object.values(batch) as unknown[]) if (ArrayBuffer.isView(value)) addBuffer(buffers, value);
  for (const { letter } of letters) {
    if (letter.keyBytes !== null) addBuffer(buffers, letter.keyBytes);
    if (letter.valueBytes !== null) addBuffer(buffers, letter.valueBytes);
  }
  return { batch: batch.letters.length === 0 ? batch : { ...batch, letters }, buffers: [...buffers] };
}

/** An empty buffer is not moved: it may be shared by many batches, and costs nothing to copy. */
function addBuffer(buffers: Set<ArrayBuffer>, view: ArrayBufferView): void {
  if (view.buffer instanceof ArrayBuffer && view.buffer.byteLength > 0) buffers.add(view.buffer);
}

function ownBytes({ entry, letter }: BatchLetter): BatchLetter {
  return { entry, letter: { ...letter, keyBytes: copied(letter.keyBytes), valueBytes: copied(letter.valueBytes) } };
}

/** Always a copy: two letters may share their bytes, and the sender may keep them. Letters are rare. */
function copied(bytes: Uint8Array | null): Uint8Array | null {
  return bytes === null ? null : new Uint8Array(bytes);
}
