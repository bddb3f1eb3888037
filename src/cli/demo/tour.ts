import { fileURLToPath } from 'node:url';
import { assert } from '../../base/assert.ts';
import { MusterClient } from '../../client/client.ts';
import { importFile } from '../importFile.ts';
import type { Cli } from '../io.ts';
import { counted, readableCount, readableMs, readableTime, readableValues, table } from '../print.ts';
import { CAMPAIGN_NAME, type MessageReport, SPREE_NAME, sendMessage } from './message.ts';
import type { Narrator } from './narrator.ts';
import { QUESTIONS, SAMPLE_END } from './questions.ts';
import { DemoServer } from './server.ts';
import { writeSetup } from './setup.ts';
import { WebhookSink } from './sink.ts';
import { until } from './waiting.ts';

/** What the tour measured. */
export interface TourReport {
  readonly startMs: number;
  readonly imported: ImportReport;
  readonly questions: readonly Answer[];
  readonly message: MessageReport;
  readonly restart: { readonly startMs: number; readonly replayedFrames: number };
}

interface ImportReport {
  readonly accepted: number;
  readonly ms: number;
  readonly events: number;
  readonly users: number;
  readonly bytesPerEvent: number;
}

interface Answer {
  readonly question: string;
  readonly count: number;
  readonly total: number;
  readonly ms: number;
}

const CUSTOMER_SHOWN = '14056';

/** Runs the tour in an empty directory. Rejects when anything is not as it should be. */
export async function runTour(cli: Cli, directory: string, tell: Narrator): Promise<TourReport> {
  const { configFile, writeKey, adminKey, webhookSecret } = await writeSetup(directory);
  const sink = await WebhookSink.open(webhookSecret);
  let server: DemoServer | undefined;
  let client: MusterClient | undefined;
  const start = async () => {
    server = await DemoServer.start(cli, configFile);
    client = await MusterClient.connect({ url: server.report.url, key: adminKey });
    return { server, client, ...server.report, startMs: server.startMs };
  };
  try {
    tell.step('Start a server in an empty directory');
    const first = await start();
    const { url, listener, threads, startMs } = first;
    tell.result(`ready on ${url} after ${readableMs(startMs)}: ${counted(threads, 'thread')}, ${listener}`);

    const imported = await load(cli, first.client, tell);
    const questions = await ask(first.client, tell);
    await lookAtOne(first.client, tell);
    const message = await sendMessage(first.client, { url, writeKey }, sink, tell);

    tell.step('Kill the server with SIGKILL, and start it again in the same directory');
    const before = await everything(first.client);
    first.client.close();
    await first.server.kill();
    const second = await start();
    const { replayedFrames } = second;
    tell.result(
      `ready after ${readableMs(second.startMs)}: ${counted(replayedFrames, 'frame')} read from the log`,
    );
    const after = await everything(second.client);
    assert(JSON.stringify(after) === JSON.stringify(before), 'everything is as it was');
    assert(sink.count === 1, 'no message is sent twice');
    tell.result('every event, every answer, the live segment as before; the message was not sent again');
    return { startMs, imported, questions, message, restart: { startMs: second.startMs, replayedFrames } };
  } finally {
    client?.close();
    await server?.kill();
    sink.close();
  }
}

async function load({ io, installation }: Cli, client: MusterClient, tell: Narrator): Promise<ImportReport> {
  tell.step('Import a year of orders of a real gift shop, each batch on disk before it is acknowledged');
  const { accepted, ms } = await importFile(io, client, fileURLToPath(installation.sample), async () => {});
  const perSecond = readableCount(Math.round((accepted / ms) * 1000));
  tell.result(`${readableCount(accepted)} calls in ${readableMs(ms)}: ${perSecond} a second`);
  // So few events are encoded once it has been quiet for a moment.
  const stats = () => client.call('account.stats', {});
  const isEncoded = ({ memory }: { memory: { blocks?: number } }) => memory.blocks !== 0;
  const { events, users, bytesPerEvent } = await until(stats, isEncoded, 'nothing was encoded');
  tell.result(`${counted(users, 'user')}; ${bytesPerEvent.toFixed(1)} bytes of memory an event`);
  return { accepted, ms, events, users, bytesPerEvent };
}

async function ask(client: MusterClient, tell: Narrator): Promise<Answer[]> {
  tell.step(`Ask who did what, as of ${readableTime(SAMPLE_END)}`);
  const answers: Answer[] = [];
  for (const { question, segment } of QUESTIONS) {
    const { count, total, stats } = await client.call('segment.count', { segment, at: SAMPLE_END });
    answers.push({ question, count, total, ms: stats.ms });
  }
  const rows = answers.map(({ question, count, total, ms }) => [
    question,
    count,
    `of ${readableCount(total)}`,
    readableMs(ms),
  ]);
  tell.result(table(rows));
  return answers;
}

async function lookAtOne(client: MusterClient, tell: Narrator): Promise<void> {
  tell.step(`Look at one customer, ${CUSTOMER_SHOWN}`);
  const { traits } = await client.call('user.profile', { userId: CUSTOMER_SHOWN });
  const { events } = await client.call('user.timeline', { userId: CUSTOMER_SHOWN, limit: 4 });
  const rows = events.map(({ event, time, properties: { name, quantity, price } }) => [
    readableTime(time),
    event,
    `${quantity} × ${name} at £${price}`,
  ]);
  tell.result(readableValues(traits));
  tell.result(table(rows));
}

/** All that a restart must bring back. */
async function everything(client: MusterClient): Promise<object> {
  const segments = Object.fromEntries(QUESTIONS.map(({ question, segment }) => [question, segment]));
  const { counts } = await client.call('segment.evaluate', { segments, at: SAMPLE_END });
  const { events, users } = await client.call('account.stats', {});
  const { count } = await client.call('segment.get', { name: SPREE_NAME });
  const { sent, pending } = await client.call('campaign.stats', { name: CAMPAIGN_NAME });
  return { counts, events, users, count, sent, pending };
}
