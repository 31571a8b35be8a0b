import { lagRecords, sortedPartitions, type ControlState } from '../control-state.ts';
import type { Problem } from './problem.ts';

/** Why figures may not be read now; null when they may. Partial sums are never served as figures. */
export function refuseFigures(control: ControlState): Problem | null {
  if (control.phase === 'ready') return null;
  if (control.phase === 'catching-up' && control.caughtUpOnce) return null;
  return refuseTraffic(control);
}

/** Why this process is not ready; null when it is: restored, folded up to the end seen at start, nothing stopped. */
export function refuseTraffic(control: ControlState): Problem | null {
  switch (control.phase) {
    case 'ready':
      return null;
    case 'restoring':
      return { code: 'RESTORING', detail: 'The checkpoint is being loaded and compared with the log.' };
    case 'catching-up':
      return { code: 'CATCHING_UP', detail: catchingUpDetail(control) };
    case 'stopped':
      return { code: 'PARTITION_STOPPED', detail: stoppedDetail(control) };
    case 'closing':
      return { code: 'SHUTTING_DOWN', detail: 'The process was asked to end.' };
    default:
      return unreachable(control.phase);
  }
}

function catchingUpDetail(control: ControlState): string {
  const lag = lagRecords(control);
  return lag === null ? 'The end of the log seen at start is not folded yet.' : `${lag} records are not folded yet.`;
}

/** Names code and place; the message, which may hold paths, is for status. */
function stoppedDetail(control: ControlState): string {
  for (const { topic, partition, stop } of sortedPartitions(control)) {
    if (stop === null) continue;
    const place = stop.offset === null ? '' : ` at offset ${stop.offset}`;
    return `Partition ${partition} of topic ${topic} stopped${place} with ${stop.code}.`;
  }
  return control.sourceStop === null ? 'A partition stopped.' : `The source stopped with ${control.sourceStop.code}.`;
}

function unreachable(value: never): never {
  throw new Error(`no such phase: ${String(value)}`);
}
