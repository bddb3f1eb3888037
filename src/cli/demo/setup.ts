import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface Setup {
  readonly configFile: string;
  readonly writeKey: string;
  readonly adminKey: string;
  readonly webhookSecret: string;
}

/** Writes the demo's configuration into its directory, with keys of its own. */
export async function writeSetup(directory: string): Promise<Setup> {
  const setup = {
    configFile: join(directory, 'muster.json'),
    writeKey: `wk_${randomBytes(24).toString('base64url')}`,
    adminKey: `ak_${randomBytes(24).toString('base64url')}`,
    webhookSecret: `whsec_${randomBytes(24).toString('base64')}`,
  };
  const keys = [
    { role: 'write', key: setup.writeKey },
    { role: 'admin', key: setup.adminKey },
  ];
  const config = {
    listen: { port: 0 },
    data: join(directory, 'data'),
    // The sample is small: spread over more tablets, it would not fill a block.
    accounts: [{ name: 'shop', tablets: 1, keys }],
    // The webhook is on this machine.
    delivery: { allowPrivateNetworks: true, webhook: { secret: setup.webhookSecret } },
  };
  await writeFile(setup.configFile, JSON.stringify(config), { mode: 0o600 });
  return setup;
}
