import { describe, expect, test } from 'vitest';
import { MESSAGE_BYTES_MAX } from '../base/limits.ts';
import { compileBody, MessageAborted, renderBody, TemplateError } from './template.ts';

const SCOPE = {
  user: { id: 'u1', tags: ['a', 'b'] },
  event: { name: 'Cart Updated', product: '"Socks"', price: 3.5 },
};

function render(body: unknown, timezone = 'UTC'): string {
  const nowMs = Date.UTC(2026, 0, 2, 23, 4, 5);
  return renderBody(compileBody(body, '$'), { scope: SCOPE, nowMs, timezone });
}

describe('rendering', () => {
  test('fills the texts of a JSON body, and nothing else of it', () => {
    const body = {
      text: 'Hi {{ user.first_name | default: "there" }}, {{ event.product }} is waiting',
      '{{ key }}': ['{{ user.tags }}', 1, true, null, { deep: '{{ event.price }}' }],
    };
    expect(JSON.parse(render(body))).toEqual({
      text: 'Hi there, "Socks" is waiting',
      '{{ key }}': ['ab', 1, true, null, { deep: '3.5' }],
    });
  });

  test('a body of text is taken as it is', () => {
    expect(render('<b>{{ user.id }}</b>')).toBe('<b>u1</b>');
  });

  test.each([
    ['a missing value', '[{{ user.missing }}{{ nobody.there.at.all }}]', '[]'],
    ['what objects inherit', '[{{ constructor }}{{ user.constructor }}{{ user.__proto__ }}]', '[]'],
    ['a number', '{{ event.price | plus: 1 }}', '4.5'],
    ['an object', '{{ user }}', '{"id":"u1","tags":["a","b"]}'],
    ['a condition', '{% if user.tags contains "a" %}yes{% endif %}', 'yes'],
  ])('%s', (_, template, expected) => {
    expect(render(template)).toBe(expected);
  });

  test('"now" is the time that is passed in, in the zone of the account', () => {
    const template = '{{ "now" | date: "%Y-%m-%d %H:%M" }}';
    expect(render(template)).toBe('2026-01-02 23:04');
    expect(render(template, 'Europe/Berlin')).toBe('2026-01-03 00:04');
  });

  test('texts of one body do not see each other', () => {
    expect(render(['{% assign x = 1 %}{{ x }}', '[{{ x }}]'])).toBe('["1","[]"]');
  });

  test('abort_message skips, with its reason, from any depth', () => {
    const body = {
      a: ['{% if user.id == "u1" %}{% abort_message "out of " | append: event.price %}{% endif %}'],
    };
    expect(() => render(body)).toThrow(MessageAborted);
    expect(() => render(body)).toThrow(/^out of 3\.5$/);
  });
});

describe('limits', () => {
  test.each([
    ['time', '{% for i in (1..90000) %}{% for j in (1..90000) %}{% endfor %}{% endfor %}', 'render limit'],
    ['memory', '{% for i in (1..1000000000) %}x{% endfor %}', 'memory alloc limit'],
    ['output', `{% for i in (1..300) %}${'x'.repeat(1024)}{% endfor %}`, 'longer than'],
    [
      'what is captured',
      '{% assign x = "0123456789" %}{% for i in (1..60) %}{% capture x %}{{ x }}{{ x }}{% endcapture %}{% endfor %}',
      'longer than',
    ],
  ])('%s', (_, template, message) => {
    expect(() => render(template)).toThrow(TemplateError);
    expect(() => render(template)).toThrow(message);
  });

  test('output is limited over all texts together, in bytes', () => {
    const half = `{% for i in (1..${MESSAGE_BYTES_MAX / 2048}) %}${'x'.repeat(1024)}{% endfor %}`;
    expect(render([half]).length).toBe(MESSAGE_BYTES_MAX / 2 + 4);
    expect(() => render([half, half])).toThrow('longer than');
    expect(() => render(half.replace(/x{1024}/, 'ä'.repeat(1100)))).toThrow('longer than');
  });

  test.each(['include', 'render', 'layout'])('there is no %s', (tag) => {
    expect(() => compileBody(`{% ${tag} '/etc/passwd' %}`, '$.b')).toThrow(`tag "${tag}" not found`);
  });

  test('a mistake is found at saving, with its path', () => {
    const compile = () => compileBody({ a: { b: ['', '{{ x | nosuch }}'] } }, '$.body');
    expect(compile).toThrow(expect.objectContaining({ code: 'bad_request', path: '$.body.a.b[1]' }));
  });
});

test('a body nested without bound is refused before anything recurses into it', () => {
  const deep: unknown = JSON.parse('['.repeat(5000) + ']'.repeat(5000));
  expect(() => compileBody(deep, '$.message.body')).toThrow('nested deeper');
});
