import { expect, test } from 'vitest';
import { type TestEvent, testView } from '../query/testView.ts';
import { templateScope } from './context.ts';
import { compileBody, renderBody } from './template.ts';

const viewed = (ordinal: number, timeMs: number, product: string): TestEvent => ({
  ordinal,
  event: 'Product Viewed',
  timeMs,
  properties: { product, 'repo.name': `${product}-repo` },
});

const view = testView({
  users: [
    { known: true, id: 'ann' },
    { known: false, id: 'anon' },
    { known: true, id: 'bob' },
  ],
  merges: [[1, 0]],
  traits: new Map([[0, { first_name: 'Ann', 'address.city': 'Oslo', id: 'not the id' }]]),
  parts: [
    [viewed(0, 100, 'old'), viewed(2, 900, 'of another user')],
    [
      viewed(1, 300, 'new'),
      { ordinal: 0, event: 'Order', timeMs: 400, properties: {} },
      viewed(0, 200, 'late'),
    ],
  ],
});

function render(template: string): string {
  const event = {
    name: 'Pushed',
    timeMs: Date.UTC(2026, 0, 2, 3, 4, 5, 6),
    properties: { product: 'Socks', 'repo.name': 'muster', 'repo.owner.id': 7, __proto__: 'x' },
  };
  const scope = templateScope(view, 0, { event, campaign: 'rescue', messageId: 'msg_1' });
  return renderBody(compileBody(template, '$'), { scope, nowMs: 0, timezone: 'UTC' });
}

test.each([
  ['{{ user.id }} {{ user.first_name }} {{ user.address.city }}', 'ann Ann Oslo'],
  ['{{ event.name }} {{ event.time }} {{ event.product }}', 'Pushed 2026-01-02T03:04:05.006Z Socks'],
  ['{{ event.repo.name }} {{ event.repo.owner.id }}', 'muster 7'],
  ['{{ campaign.name }} {{ message.id }}', 'rescue msg_1'],
  ['{{ last["Product Viewed"].product }}', 'new'],
  [
    '{{ last["Product Viewed"].repo.name }} {{ last["Product Viewed"].time }}',
    'new-repo 1970-01-01T00:00:00.300Z',
  ],
  ['[{{ last["Never Seen"].product }}]', '[]'],
])('%s', (template, expected) => {
  expect(render(template)).toBe(expected);
});
