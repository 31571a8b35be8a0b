/**
 * What a test gets of a real service, whichever way it came: from Maven, Debian and npm on this machine, or as a container.
 */

/** Where a server listens, as seen from the test. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** An instance of the test's own, to be killed and started again. Disposing it ends it and removes its data. */
export interface OwnInstance extends AsyncDisposable {
  /** Ends it with SIGKILL and returns when it is gone. */
  kill(): Promise<void>;
  /** Ends it if it runs (SIGTERM), starts it on the same data and ports, and returns when it is ready. */
  restart(): Promise<void>;
  /** Stops it in its tracks (SIGSTOP): its connections stay open and nothing answers. */
  pause(): void;
  /** Lets a paused one go on. */
  resume(): void;
  /** What it has logged so far. */
  logs(): Promise<string>;
}

/** A user name and its password. */
export interface Login {
  readonly username: string;
  readonly password: string;
}

/** How a test reaches the broker: plain data, the same in every worker. */
export interface KafkaPlace {
  /** Plain listeners without a login, one a broker, as `host:port`. */
  readonly brokers: readonly string[];
  /** TLS listeners without a login. `caFile` signs them; `foreignCaFile` is another authority, which does not. */
  readonly tls: { readonly brokers: readonly string[]; readonly caFile: string; readonly foreignCaFile: string };
  /** Listeners that want a login by PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER. `connectionString` is an Event Hubs-like login, for PLAIN alone; `restricted` is a user for tests of access rules. */
  readonly sasl: {
    readonly brokers: readonly string[];
    readonly tlsBrokers: readonly string[];
    readonly login: Login;
    readonly restricted: Login;
    readonly connectionString: Login;
    /** OAUTHBEARER takes tokens for this audience that the key has signed. */
    readonly oauth: { readonly audience: string; readonly issuerKeyFile: string };
  };
  /** The plain listener as Kafka Connect sees it. */
  readonly seenFromConnect: string;
  /** Where the command-line tools are: jars on this machine, or a container. */
  readonly tools: { readonly kind: 'jars'; readonly folder: string } | { readonly kind: 'container'; readonly id: string };
  readonly logFiles: readonly string[];
}

/** A broker that runs. Topics are made by the tests, which name them so that nobody else meets them. */
export interface KafkaService extends KafkaPlace {
  /**
   * Runs a command-line tool of Kafka (`kafka-consumer-groups`, `kafka-console-producer`, …) with the arguments given and answers what it printed.
   * `input` is its standard input. Throws with its output when it fails.
   */
  tool(name: string, args: readonly string[], input?: string): Promise<string>;
  logs(): Promise<string>;
}

/** A cluster of the test's own. `kill`, `restart`, `pause` and `resume` mean all brokers, or the one numbered from 1. */
export interface OwnKafka extends KafkaService, AsyncDisposable {
  kill(broker?: number): Promise<void>;
  restart(broker?: number): Promise<void>;
  pause(broker?: number): void;
  resume(broker?: number): void;
}

/** How a test wants its own cluster. */
export interface KafkaOptions {
  /** One, or two for a change of leaders: broker 1 is the controller too. */
  readonly brokers?: 1 | 2;
  /** Broker properties by name, above the defaults: `connections.max.idle.ms` for one. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** How a test reaches the blob service. */
export interface AzuriteService {
  readonly connectionString: string;
  readonly account: string;
  /** Base64. */
  readonly key: string;
  /** `http://host:port/account`. */
  readonly blobEndpoint: string;
  readonly logFiles: readonly string[];
  logs(): Promise<string>;
}

/** A database server that answers SQL. */
export interface SqlService {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
  /** The server as Kafka Connect sees it. */
  readonly seenFromConnect: HostPort;
  readonly logFiles: readonly string[];
  /** Makes an empty database and answers a way to it. The name is lower case letters, digits and underlines. */
  createDatabase(name: string): Promise<SqlDatabase>;
  logs(): Promise<string>;
}

/** One database. Each query by `query` may come by another connection; a session keeps its own. */
export interface SqlDatabase extends AsyncDisposable {
  readonly name: string;
  query(sql: string): Promise<readonly SqlRow[]>;
  session(): Promise<SqlSession>;
}

/** One connection: transactions, savepoints, and errors that leave it usable. */
export interface SqlSession extends AsyncDisposable {
  query(sql: string): Promise<readonly SqlRow[]>;
}

/** Column → value; numbers beyond 32 bits, decimals and dates are text. */
export type SqlRow = Readonly<Record<string, unknown>>;

/** Postgres with `wal_level=logical`. */
export type PostgresService = SqlService;
/** MariaDB with a row binlog of full images. */
export type MariadbService = SqlService;

/** A schema registry with Confluent's API, in memory. */
export interface RegistryService {
  readonly url: string;
  /** The same address as Connect sees it. */
  readonly seenFromConnect: string;
  /** Address of its Confluent API. */
  readonly confluentUrl: string;
  readonly logFiles: readonly string[];
  /** Settings of a connector that make it write keys or values as Avro in Confluent's framing. */
  avroConverter(side: 'key' | 'value'): Readonly<Record<string, string>>;
  /** Registers a schema by Confluent's API and answers its number. */
  register(subject: string, schema: { readonly schema: string; readonly schemaType?: string; readonly references?: readonly { readonly name: string; readonly subject: string; readonly version: number }[] }): Promise<number>;
}

/** Kafka Connect with Debezium's connectors for Postgres and MariaDB, and an Avro converter. */
export interface ConnectService {
  /** Address of its REST API. */
  readonly url: string;
  readonly logFiles: readonly string[];
  /** Makes a connector (or changes its settings) and returns when Connect has taken it. */
  create(name: string, config: Readonly<Record<string, string>>): Promise<void>;
  /** Removes a connector with its offsets. */
  remove(name: string): Promise<void>;
  status(name: string): Promise<ConnectorStatus>;
  /** Waits, a minute at most, until connector and tasks run; fails with the trace of a task that failed. */
  waitRunning(name: string): Promise<void>;
  /** What the connector has committed as its position in its source, as Connect tells it; null before the first time. */
  offsets(name: string): Promise<unknown>;
  logs(): Promise<string>;
}

/** How a connector is. */
export interface ConnectorStatus {
  readonly connector: { readonly state: string; readonly trace?: string };
  readonly tasks: readonly { readonly id: number; readonly state: string; readonly trace?: string }[];
}
