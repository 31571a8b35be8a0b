import { identityFailureIn } from '../runtime/azure-identity-failure.ts';
import { oneLine } from '../runtime/one-line.ts';

/** Kafka's error codes that this source acts on. */
export const KAFKA_ERROR = {
  none: 0, offsetOutOfRange: 1, corruptMessage: 2, unknownTopicOrPartition: 3, leaderNotAvailable: 5, notLeader: 6, topicAuthorizationFailed: 29, unsupportedSaslMechanism: 33,
} as const;

/** Names of the codes that an operator may meet. */
const NAMES: Record<number, string> = {
  [-1]: 'the broker met an error of its own (UNKNOWN)', 1: 'the offset is out of range', 2: 'the broker finds its own records corrupt (CORRUPT_MESSAGE)', 3: 'the broker does not know the topic or partition',
  5: 'the partition has no leader', 6: 'the broker is not the partition\'s leader any more', 7: 'the request timed out at the broker', 9: 'the broker\'s replica is not available',
  13: 'the broker\'s network failed', 14: 'the group\'s coordinator is loading', 15: 'the group\'s coordinator is not available', 16: 'the broker is not the group\'s coordinator any more',
  22: 'the group has members of its own', 25: 'the group has members of its own', 29: 'the user may not read the topic (TOPIC_AUTHORIZATION_FAILED)', 30: 'the user may not use the group (GROUP_AUTHORIZATION_FAILED)',
  31: 'the user may not use the cluster (CLUSTER_AUTHORIZATION_FAILED)', 35: 'the broker does not know this form of the request', 56: 'the broker\'s disk failed (KAFKA_STORAGE_ERROR)',
  74: 'the partition\'s leader has changed', 75: 'the broker does not know of the partition\'s leader yet', 78: 'the leader does not know its end yet',
};

/** An error code of the protocol in words. */
export function kafkaErrorText(code: number): string {
  return NAMES[code] ?? `the broker answered with error ${code}`;
}

/** What went wrong with a broker, in words, and whether trying again may help without anybody doing something. */
export interface BrokerFailure {
  readonly text: string;
  readonly mayPass: boolean;
}

interface ThrownError {
  readonly name?: string;
  readonly message?: string;
  readonly code?: string | number;
  readonly type?: string;
  readonly cause?: unknown;
}

/** Sorts what kafkajs, the network and TLS throw. The text names the option that is probably wrong, and never a secret. `hasAnswered`: the broker has answered before, so that its listener is the right one. */
export function brokerFailure(thrown: unknown, hasAnswered = false): BrokerFailure {
  const error = (thrown ?? {}) as ThrownError;
  const code = String(error.code ?? '');
  const message = oneLine(String(error.message ?? thrown)).replace(/^Connection error: /, '');
  const noToken = identityFailureIn(thrown);
  if (noToken !== null) return { text: noToken.message, mayPass: noToken.mayPass };
  if (error.name === 'TokenRefused') return lasting(`the broker refuses the identity's token (${message}): look at the role of RENTFOLD_AZURE_IDENTITY (Azure Event Hubs Data Receiver) and at RENTFOLD_KAFKA_OAUTH_SCOPE`);
  if (error.type === 'UNSUPPORTED_SASL_MECHANISM') return lasting('the broker does not offer the mechanism of RENTFOLD_KAFKA_SASL_MECHANISM');
  if (error.type === 'ILLEGAL_SASL_STATE') return lasting('the broker does not expect SASL here; look at RENTFOLD_KAFKA_SASL_MECHANISM and at the listener\'s port');
  if (error.name === 'KafkaJSSASLAuthenticationError' || error.type === 'SASL_AUTHENTICATION_FAILED') return lasting('the broker refuses user or password: look at RENTFOLD_KAFKA_SASL_USERNAME, RENTFOLD_KAFKA_SASL_PASSWORD and RENTFOLD_KAFKA_SASL_MECHANISM');
  if (isCertificateCode(code)) return lasting(`the broker's certificate is not accepted (${code}): ${message}; look at RENTFOLD_KAFKA_TLS_CA and at the host names in RENTFOLD_KAFKA_BROKERS`);
  if (isTlsCode(code, message)) return lasting(`the broker does not speak TLS as expected (${code || message}); look at RENTFOLD_KAFKA_TLS and at the listener's port`);
  if (code === 'ECONNREFUSED') return passing('nothing listens there (ECONNREFUSED)');
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return passing(`the name cannot be resolved (${code})`);
  if (error.name === 'KafkaJSConnectionClosedError') return passing(`the broker closed the connection${hasAnswered ? '' : '; it does so too when its listener wants TLS (RENTFOLD_KAFKA_TLS) or a user (RENTFOLD_KAFKA_SASL_MECHANISM)'}`);
  if (message === 'Connection timeout') return passing(`it did not answer in time${hasAnswered ? '' : '; a listener that wants TLS is silent like this too (RENTFOLD_KAFKA_TLS)'}`);
  if (error.name === 'KafkaJSRequestTimeoutError') return passing('it took a request and did not answer in time');
  return passing(code === '' || message.includes(code) ? message : `${message} (${code})`);
}

function passing(text: string): BrokerFailure {
  return { text, mayPass: true };
}

function lasting(text: string): BrokerFailure {
  return { text, mayPass: false };
}

function isCertificateCode(code: string): boolean {
  return /^(CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|ERR_TLS_CERT_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE)/.test(code);
}

function isTlsCode(code: string, message: string): boolean {
  return /^(ERR_SSL_|EPROTO)/.test(code) || /before secure TLS connection/.test(message);
}
