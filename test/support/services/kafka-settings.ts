import type { Login } from './service.ts';

/** Logins of every test broker. */
export const LOGIN: Login = { username: 'rentfold', password: 'rentfold-password' };
/** A second user, for access rules that a test makes. */
export const RESTRICTED_LOGIN: Login = { username: 'restricted', password: 'restricted-password' };
/** What Event Hubs' Kafka endpoint takes for a login. */
export const CONNECTION_STRING_LOGIN: Login = {
  username: '$ConnectionString',
  password: 'Endpoint=sb://rentfold-test.servicebus.windows.net/;SharedAccessKeyName=rentfold;SharedAccessKey=cmVudGZvbGQtdGVzdC1rZXk=',
};

/** Ports of one broker's listeners. */
export interface BrokerPorts {
  readonly plain: number;
  readonly tls: number;
  readonly sasl: number;
  readonly saslTls: number;
  readonly controller: number;
}

/** One broker of a cluster. */
export interface BrokerPlan {
  readonly node: number;
  readonly brokers: number;
  readonly ports: BrokerPorts;
  /** `host:port` of the controller, which is on node 1. */
  readonly controller: string;
  readonly dataFolder: string;
  readonly serverCertificateFile: string;
  /** Keys of the issuer whose tokens OAUTHBEARER takes. */
  readonly issuerKeysFile: string;
  /** Where the listeners bind; clients always come by 127.0.0.1. */
  readonly bindHost: string;
  /** A listener for other containers, as `host:port`. */
  readonly inside?: string;
  readonly settings: Readonly<Record<string, string>>;
}

const MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'];
/** For what tokens are to be asked for, and who gives them. */
export const OAUTH = { audience: 'api://rentfold-test-kafka', issuer: 'https://sts.windows.net/5e4b2c70-0000-4000-8000-00000000aaaa/' } as const;

/**
 * The properties file of a broker: KRaft, topics made by the broker on request (rentfold must not ask), small internal topics, no waiting for
 * group members, a dead broker noticed in three seconds, and access rules in force that allow everybody until a test says otherwise.
 */
export function brokerProperties(plan: BrokerPlan): string {
  const { ports, bindHost } = plan;
  const listeners: [string, string, number][] = [
    ['PLAINTEXT', 'PLAINTEXT', ports.plain], ['SSL', 'SSL', ports.tls], ['SASL_PLAINTEXT', 'SASL_PLAINTEXT', ports.sasl], ['SASL_SSL', 'SASL_SSL', ports.saslTls],
  ];
  const insidePort = plan.inside?.split(':')[1];
  const bound = [...listeners.map(([name, , port]) => `${name}://${bindHost}:${port}`), ...(insidePort === undefined ? [] : [`INSIDE://${bindHost}:${insidePort}`])];
  const advertised = [...listeners.map(([name, , port]) => `${name}://127.0.0.1:${port}`), ...(plan.inside === undefined ? [] : [`INSIDE://${plan.inside}`])];
  if (plan.node === 1) bound.push(`CONTROLLER://${bindHost}:${ports.controller}`);
  return propertiesText({
    'process.roles': plan.node === 1 ? 'broker,controller' : 'broker',
    'node.id': String(plan.node),
    'controller.quorum.voters': `1@${plan.controller}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': plan.inside === undefined ? 'PLAINTEXT' : 'INSIDE',
    listeners: bound.join(','),
    'advertised.listeners': advertised.join(','),
    'listener.security.protocol.map': [...listeners.map(([name, protocol]) => `${name}:${protocol}`), 'CONTROLLER:PLAINTEXT', 'INSIDE:PLAINTEXT'].join(','),
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': plan.serverCertificateFile,
    'sasl.enabled.mechanisms': MECHANISMS.join(','),
    ...saslSettings(),
    ...oauthSettings(plan.issuerKeysFile),
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'allow.everyone.if.no.acl.found': 'true',
    'super.users': 'User:ANONYMOUS',
    'log.dirs': plan.dataFolder,
    ...smallAndQuick(plan.brokers),
    ...plan.settings,
  });
}

function smallAndQuick(brokers: number): Record<string, string> {
  return {
    'auto.create.topics.enable': 'true',
    'delete.topic.enable': 'true',
    'offsets.topic.replication.factor': String(brokers),
    'offsets.topic.num.partitions': '2',
    'transaction.state.log.replication.factor': String(brokers),
    'transaction.state.log.min.isr': '1',
    'transaction.state.log.num.partitions': '2',
    'share.coordinator.state.topic.replication.factor': String(brokers),
    'group.initial.rebalance.delay.ms': '0',
    'group.min.session.timeout.ms': '1000',
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '500',
    'file.delete.delay.ms': '1000',
    'log.cleaner.dedupe.buffer.size': '4194304',
    'num.network.threads': '2',
    'num.io.threads': '4',
  };
}

function saslSettings(): Record<string, string> {
  const plainUsers = [LOGIN, RESTRICTED_LOGIN, CONNECTION_STRING_LOGIN].map((login) => `user_${login.username}="${login.password}"`).join(' ');
  const settings: Record<string, string> = {};
  for (const listener of ['sasl_plaintext', 'sasl_ssl']) {
    settings[`listener.name.${listener}.plain.sasl.jaas.config`] = `org.apache.kafka.common.security.plain.PlainLoginModule required ${plainUsers};`;
    for (const mechanism of ['scram-sha-256', 'scram-sha-512']) {
      settings[`listener.name.${listener}.${mechanism}.sasl.jaas.config`] = 'org.apache.kafka.common.security.scram.ScramLoginModule required;';
    }
  }
  return settings;
}

/** Tokens are checked by the issuer's key, and end sessions with them: a connection has to show a new one, or is closed. */
function oauthSettings(keysFile: string): Record<string, string> {
  const settings: Record<string, string> = {
    'sasl.oauthbearer.jwks.endpoint.url': `file://${keysFile}`, 'sasl.oauthbearer.expected.audience': OAUTH.audience, 'sasl.oauthbearer.expected.issuer': OAUTH.issuer, 'sasl.oauthbearer.clock.skew.seconds': '1',
  };
  for (const listener of ['sasl_plaintext', 'sasl_ssl']) {
    settings[`listener.name.${listener}.oauthbearer.sasl.jaas.config`] = 'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;';
    settings[`listener.name.${listener}.oauthbearer.sasl.server.callback.handler.class`] = 'org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler';
    settings[`listener.name.${listener}.oauthbearer.connections.max.reauth.ms`] = '3600000';
  }
  return settings;
}

/** What Java must be told so that the broker may read the issuer's keys. */
export function oauthArgument(keysFile: string): string {
  return `-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=file://${keysFile}`;
}

/** Arguments of the storage tool that make the users known to SCRAM. */
export function scramArguments(): string[] {
  return [LOGIN, RESTRICTED_LOGIN].flatMap((login) => ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => ['--add-scram', `${mechanism}=[name=${login.username},password=${login.password}]`]));
}

/** Text of a Java properties file. */
export function propertiesText(properties: Readonly<Record<string, string>>): string {
  return Object.entries(properties).map(([name, value]) => `${name}=${value}\n`).join('');
}
