import { IdentityFailure } from '../runtime/azure-identity-failure.ts';
import { oneLine } from '../runtime/one-line.ts';

/** What a failure means for reading: `position`: the start position is refused; `busy`: throttled, or too many readers; `full`: given up by ourselves for want of room; `silent`: no answer came in time; `passing`: anything that time may mend. */
export type FailureKind = 'missing' | 'stolen' | 'unauthorized' | 'busy' | 'position' | 'full' | 'silent' | 'passing';

/** A failure of the service, of the way to it, or of the client, in one line without secrets. */
export class HubFailure extends Error {
  override readonly name = 'HubFailure';
  readonly kind: FailureKind;

  constructor(kind: FailureKind, text: string, options?: ErrorOptions) {
    super(text, options);
    this.kind = kind;
  }
}

/** Conditions of AMQP errors, and the names that the client library gives them. */
const KINDS: ReadonlyMap<string, FailureKind> = new Map([
  ['amqp:link:stolen', 'stolen'], ['ReceiverDisconnectedError', 'stolen'],
  ['amqp:not-found', 'missing'], ['MessagingEntityNotFoundError', 'missing'], ['ServiceCommunicationError', 'missing'],
  ['amqp:unauthorized-access', 'unauthorized'], ['UnauthorizedError', 'unauthorized'],
  ['com.microsoft:server-busy', 'busy'], ['ServerBusyError', 'busy'], ['amqp:resource-limit-exceeded', 'busy'], ['QuotaExceededError', 'busy'],
  ['OperationTimeoutError', 'silent'],
  ['com.microsoft:argument-error', 'position'], ['ArgumentError', 'position'], ['com.microsoft:argument-out-of-range', 'position'], ['ArgumentOutOfRangeError', 'position'],
]);

/** What the client threw, sorted and in words. */
export function hubFailure(error: unknown): HubFailure {
  if (error instanceof HubFailure) return error;
  if (error instanceof IdentityFailure) return new HubFailure(error.mayPass ? 'passing' : 'unauthorized', error.words, { cause: error });
  if (error instanceof AggregateError && error.errors.length > 0) return hubFailure(error.errors[0]);
  const { condition, code, name, description, message, syscall } = (typeof error === 'object' && error !== null ? error : { message: String(error) }) as Record<string, unknown>;
  const label = [condition, code, name].find((text) => typeof text === 'string' && text !== 'Error');
  // A host name that is not known is no hub that is missing: the library calls both "not found".
  const kind = typeof syscall === 'string' ? 'passing' : [condition, code].map((text) => KINDS.get(String(text))).find((known) => known !== undefined);
  const words = [description, message].find((text) => typeof text === 'string' && text !== '') ?? 'it gave no reason';
  return new HubFailure(kind ?? 'passing', `${withoutSecrets(oneLine(String(words)))}${label === undefined ? '' : ` (${String(label)})`}`, { cause: error });
}

function withoutSecrets(text: string): string {
  return text.replace(/(SharedAccessKey|SharedAccessSignature|sig)=[^;&\s]+/gi, '$1=(not shown)').slice(0, 500);
}
