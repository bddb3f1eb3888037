import type { Command } from 'commander';
import type { Campaign, CampaignStats, CampaignStatus, SavedCampaign } from '../client/types.ts';
import { readJson } from './files.ts';
import type { Cli } from './io.ts';
import { readableTime, table } from './print.ts';
import { addServerCommand } from './serverCommand.ts';

/** `muster campaign`: what is sent to whom, and when. */
export function addCampaignCommands(cli: Cli, program: Command): void {
  const campaign = program.command('campaign').description('what is sent to whom, and when');

  addServerCommand<[string], object, { name: string; status: CampaignStatus; version: number }>(
    cli,
    campaign,
    {
      usage: 'save <file>',
      description: 'save a campaign (a JSON file, or - for stdin); it is active at once',
      run: async (client, [source]) =>
        client.call('campaign.save', (await readJson(cli.io, source)) as Campaign),
      text: ({ name, status, version }) => `${name}: ${status}, version ${version}`,
    },
  );

  addServerCommand<[], object, readonly SavedCampaign[]>(cli, campaign, {
    usage: 'list',
    description: 'all campaigns',
    run: async (client) => (await client.call('campaign.list', {})).campaigns,
    text: (campaigns) =>
      table(campaigns.map(({ name, status, savedAt }) => [name, status, readableTime(savedAt)])),
  });

  addServerCommand<[string], object, SavedCampaign>(cli, campaign, {
    usage: 'show <name>',
    description: 'one campaign',
    run: (client, [name]) => client.call('campaign.get', { name }),
    text: ({ name, status, version, savedAt, definition }) =>
      `${name}: ${status}, version ${version}, saved ${readableTime(savedAt)}\n` +
      JSON.stringify(definition, undefined, 2),
  });

  for (const verb of ['pause', 'resume'] as const) {
    addServerCommand<[string], object, { name: string; status: CampaignStatus }>(cli, campaign, {
      usage: `${verb} <name>`,
      description: verb === 'pause' ? 'send nothing for now' : 'send again, also what has waited meanwhile',
      run: (client, [name]) => client.call(`campaign.${verb}`, { name }),
      text: ({ name, status }) => `${name}: ${status}`,
    });
  }

  addServerCommand<[string], object, object>(cli, campaign, {
    usage: 'delete <name>',
    description: 'forget a campaign',
    run: (client, [name]) => client.call('campaign.delete', { name }),
    text: (_, [name]) => `${name} deleted`,
  });

  addServerCommand<[string], object, CampaignStats>(cli, campaign, {
    usage: 'stats <name>',
    description: 'what became of its messages',
    run: (client, [name]) => client.call('campaign.stats', { name }),
    text: ({ name: _, ...counts }) => table(Object.entries(counts)),
  });
}
