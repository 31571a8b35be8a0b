import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/**
 * Which process on which host holds a lock, and whether it still lives. A process id alone is not enough: ids are used again, and
 * containers count their own. So a process is (host, boot, id space, id, start time); only one of our own boot and id space can be judged dead.
 */
export interface ProcessIdentity {
  /** Host name, for messages. */
  readonly host: string;
  /** Host, boot and process id space as one short hash: equal means that `pid` can be looked up here. */
  readonly space: string;
  readonly pid: number;
  /** Start time in the kernel's ticks, or null where the system does not tell. */
  readonly started: string | null;
}

/** The process this runs in. */
export function ownIdentity(): ProcessIdentity {
  const space = [hostname(), readOrEmpty(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')), readOrEmpty(() => readlinkSync('/proc/self/ns/pid'))];
  return {
    host: hostname(),
    space: createHash('sha256').update(space.join('\n')).digest('hex').slice(0, 12),
    pid: process.pid,
    started: startTime(process.pid),
  };
}

/** True when the process is known to be gone: it was one of this host's, and its id is free, a zombie's, or another process's now. */
export function isKnownDead(other: ProcessIdentity, own: ProcessIdentity): boolean {
  if (other.space !== own.space) return false;
  try {
    process.kill(other.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return true;
  }
  const started = startTime(other.pid);
  return other.started !== null && started !== null && started !== other.started;
}

/** Field 22 of `/proc/<pid>/stat`, or null when it cannot be read; `dead` for a process that has ended and was not yet waited for. */
function startTime(pid: number): string | null {
  const stat = readOrEmpty(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  if (stat === '') return null;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? 'dead' : fields[19] ?? null;
}

function readOrEmpty(read: () => string): string {
  try {
    return read().trim();
  } catch {
    return '';
  }
}
