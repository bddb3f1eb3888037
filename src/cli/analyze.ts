import type { Command } from 'commander';
import type { AnalysisMethods, AnalysisParams } from '../client/analysisTypes.ts';
import { pivotText, rfmText, trendText } from './analyzeTables.ts';
import { flowText, funnelText, retentionText } from './analyzeUsers.ts';
import { readJson, readSegment, STDIN } from './files.ts';
import type { Cli } from './io.ts';
import { counted, readableMs } from './print.ts';
import { addServerCommand } from './serverCommand.ts';

interface AnalyzeFlags {
  readonly at?: string;
  readonly segment?: string;
}

type Kind = keyof AnalysisMethods extends `analyze.${infer Name}` ? Name : never;
type Params<K extends Kind> = AnalysisMethods[`analyze.${K}`]['params'];
type Result<K extends Kind> = AnalysisMethods[`analyze.${K}`]['result'];

/** `muster analyze`: what users did, as numbers. */
export function addAnalyzeCommands(cli: Cli, program: Command): void {
  const analyze = program
    .command('analyze')
    .description('what users did, as numbers; a question is a JSON file, or - for stdin');
  const add = <K extends Kind>(
    kind: K,
    description: string,
    text: (result: Result<K>, params: Params<K>) => string,
  ) => addAnalysis(cli, analyze, { kind, description, text });

  add('trend', 'events or users by hour, day, week or month', trendText);
  add('funnel', 'how far users get along a few steps', funnelText);
  add('retention', 'how many of those who began came back later', retentionText);
  add('flow', 'which ways users go from an event, or came to it', flowText);
  add('pivot', 'a table of two properties or traits, with the cells that stand out', pivotText);
  add('rfm', 'customers by how recently, how often and for how much they bought', rfmText);
}

function addAnalysis<K extends Kind>(
  cli: Cli,
  parent: Command,
  spec: {
    readonly kind: K;
    readonly description: string;
    readonly text: (result: Result<K>, params: Params<K>) => string;
  },
): void {
  const { io } = cli;
  const { kind, description, text } = spec;
  type Answer = { readonly result: Result<K>; readonly params: Params<K> };
  addServerCommand<[string], AnalyzeFlags, Answer>(cli, parent, {
    usage: `${kind} <file>`,
    description,
    options: (command) =>
      command
        .option('--at <time>', 'as of this time (ISO-8601) instead of now')
        .option(
          '--segment <definition>',
          'only the users of this segment: a JSON file, or the name of a saved one',
        ),
    run: async (client, [file], flags) => {
      const params = {
        ...(await readQuestion(io, file)),
        ...(flags.at === undefined ? {} : { at: flags.at }),
        ...(flags.segment === undefined ? {} : { segment: await readSegment(io, flags.segment) }),
      } as Params<K>;
      const method: `analyze.${K}` = `analyze.${kind}`;
      return { params, result: (await client.call(method, params)) as Result<K> };
    },
    json: ({ result }) => result,
    text: ({ result, params }) => {
      const { ms, rowsScanned } = result.stats;
      return `${text(result, params)}\n\n${counted(rowsScanned, 'row')} in ${readableMs(ms)}`;
    },
  });
}

async function readQuestion(io: Cli['io'], file: string): Promise<AnalysisParams> {
  const json = await readJson(io, file);
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new Error(`${file === STDIN ? 'stdin' : file} is not a JSON object`);
  }
  return json;
}
