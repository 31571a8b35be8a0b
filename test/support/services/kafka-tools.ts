import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import type { KafkaPlace } from './service.ts';

const TOOLS: Readonly<Record<string, string>> = {
  'kafka-acls': 'org.apache.kafka.tools.AclCommand',
  'kafka-configs': 'kafka.admin.ConfigCommand',
  'kafka-console-consumer': 'org.apache.kafka.tools.consumer.ConsoleConsumer',
  'kafka-console-producer': 'org.apache.kafka.tools.ConsoleProducer',
  'kafka-consumer-groups': 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand',
  'kafka-delete-records': 'org.apache.kafka.tools.DeleteRecordsCommand',
  'kafka-dump-log': 'org.apache.kafka.tools.DumpLogSegments',
  'kafka-get-offsets': 'org.apache.kafka.tools.GetOffsetShell',
  'kafka-leader-election': 'org.apache.kafka.tools.LeaderElectionCommand',
  'kafka-producer-perf-test': 'org.apache.kafka.tools.ProducerPerformance',
  'kafka-reassign-partitions': 'org.apache.kafka.tools.reassign.ReassignPartitionsCommand',
  'kafka-storage': 'kafka.tools.StorageTool',
  'kafka-topics': 'org.apache.kafka.tools.TopicCommand',
};

/** Java's arguments for a small program that starts quickly. */
export const SMALL_JAVA: readonly string[] = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto', '-Dorg.slf4j.simpleLogger.showDateTime=true', '-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS'];

/** Runs a command-line tool of Kafka and answers its standard output; throws with everything it printed when it fails. */
export async function runKafkaTool(tools: KafkaPlace['tools'], name: string, args: readonly string[], input = ''): Promise<string> {
  const main = TOOLS[name];
  if (main === undefined) throw new Error(`no tool is called ${name}; known are ${Object.keys(TOOLS).join(', ')}`);
  const command = tools.kind === 'jars'
    ? ['java', '-Xmx256m', ...SMALL_JAVA, '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-cp', `${tools.folder}/*`, main, ...args]
    : ['docker', 'exec', '-i', tools.id, '/opt/kafka/bin/kafka-run-class.sh', main, ...args];
  const child = spawn(command[0]!, command.slice(1), { stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  const [code, out, complaints] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  if (code !== 0) throw new Error(`${name} ${args.join(' ')} ended with code ${code}\n${out}${complaints}`);
  return out;
}
