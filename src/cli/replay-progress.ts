import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/log.ts';
import { grouped } from './numbers.ts';
import type { Progress, ReplayMeter } from './replay-meter.ts';

/** A line that is drawn again in its place. */
export interface ProgressLine {
  show(text: string): void;
  /** Takes it away. */
  clear(): void;
}

const DRAW_EVERY_MS = 200;
const TELL_EVERY_SECONDS = 5;
const TELL_EVERY_PERCENT = 5;

/** Shows how far a replay is until the signal aborts: on a line of the terminal, or in the log every 5 seconds and every 5 percent. */
export async function showProgress(
  { meter, log, clock, line }: { readonly meter: ReplayMeter; readonly log: Logger; readonly clock: Clock; readonly line: ProgressLine | null }, signal: AbortSignal,
): Promise<void> {
  let told = meter.measure();
  while (!signal.aborted) {
    await clock.sleep(DRAW_EVERY_MS, signal);
    if (signal.aborted) break;
    const progress = meter.measure();
    if (line !== null) line.show(progressText(progress));
    else if (progress.seconds - told.seconds >= TELL_EVERY_SECONDS || progress.percent - told.percent >= TELL_EVERY_PERCENT) {
      told = progress;
      const { percent, events, eventsPerSecond, secondsLeft } = progress;
      log.info({ percent, events, eventsPerSecond, secondsLeft: secondsLeft === null ? null : Math.round(secondsLeft) }, `replay: ${progressText(progress)}`);
    }
  }
  line?.clear();
}

/** `42 %, 857 000 events, 199 000 a second, 1 min 3 s left`. */
export function progressText({ percent, events, eventsPerSecond, secondsLeft }: Progress): string {
  const left = percent === 100 ? 'writing the last checkpoint' : secondsLeft === null ? 'time left unknown' : `${durationText(secondsLeft)} left`;
  return `${percent} %, ${grouped(events)} events, ${grouped(eventsPerSecond)} a second, ${left}`;
}

function durationText(seconds: number): string {
  const whole = Math.ceil(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${whole % 60} s` : `${whole} s`;
}
