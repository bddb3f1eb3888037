import {
  decimalDigits,
  distinctTexts,
  type EventTable,
  integerType,
  type NumberColumn,
  scaledRange,
  type TextColumn,
} from './eventTable.ts';

/** One way for ClickHouse to keep a column. */
export interface ColumnForm {
  readonly type: string;
  /** What goes before LZ4 or ZSTD: nothing or others, each with a comma behind it. */
  readonly codecs: string;
  /** The column's value, of the source's. */
  readonly value: string;
  /** What the table's definition keeps for the column: the texts of an Enum. */
  readonly definitionBytes: number;
}

export interface ColumnForms {
  readonly name: string;
  /** Which rows have the property, whatever the form. */
  readonly present: string;
  /** As an expert would write it down unseen. */
  readonly usual: ColumnForm;
  /** What is worth measuring, the usual form included. */
  readonly candidates: readonly ColumnForm[];
}

/** Of distinct texts. */
const LOW_CARDINALITY_MAX = 10_000;
const NUMBER_CODECS = ['T64,', '', 'Delta,', 'DoubleDelta,', 'GCD, T64,', 'GCD, Delta,'];

export function columnForms(table: EventTable): ColumnForms[] {
  return [
    formsOf('user_id', '1', numberForms('UInt32', 'user_id', ['Delta,', 'T64,', '', 'DoubleDelta,'])),
    timeForms(table.timeMs),
    ...[table.event, ...table.texts].map(textForms),
    ...table.numbers.map(decimalForms),
  ];
}

export function quoted(name: string): string {
  return `\`${name}\``;
}

function timeForms(timeMs: Float64Array): ColumnForms {
  const wholeSeconds = timeMs.every((ms) => ms % 1000 === 0);
  return formsOf('ts', '1', [
    ...numberForms(`DateTime64(3, 'UTC')`, `fromUnixTimestamp64Milli(ts, 'UTC')`),
    ...(wholeSeconds ? numberForms(`DateTime('UTC')`, `toDateTime(intDiv(ts, 1000), 'UTC')`) : []),
  ]);
}

/** An absent text is '' where no event has an empty one, which is smaller than Nullable. */
function textForms(column: TextColumn): ColumnForms {
  const name = quoted(column.name);
  const texts = distinctTexts(column);
  const nullable = texts.length < column.texts.length && texts.includes('');
  const type = nullable ? 'Nullable(String)' : 'String';
  const value = nullable ? name : `ifNull(${name}, '')`;
  const whole = { type, codecs: '', value, definitionBytes: 0 };
  const coded = { ...whole, type: `LowCardinality(${type})` };
  const few = texts.length <= LOW_CARDINALITY_MAX;
  const forms = few ? [coded, whole] : [whole, coded];
  if (few && !nullable) forms.push(...enumForms(texts, value));
  return formsOf(column.name, nullable ? `${name} IS NOT NULL` : `${name} != ''`, forms);
}

function enumForms(texts: readonly string[], value: string): ColumnForm[] {
  const values = [...new Set(['', ...texts])];
  const least = values.length <= 128 ? 0 : -Math.floor(values.length / 2);
  const members = values.map((text, i) => `${literal(text)} = ${least + i}`);
  const type = `Enum${values.length <= 256 ? 8 : 16}(${members.join(', ')})`;
  return ['T64,', ''].map((codecs) => ({ type, codecs, value, definitionBytes: Buffer.byteLength(type) }));
}

/** An absent number is 0 where no event has a 0. */
function decimalForms(column: NumberColumn): ColumnForms {
  const { name: plain, values, digits } = column;
  const name = quoted(plain);
  const absent = values.some(Number.isNaN);
  const nullable = absent && values.includes(0);
  const range = scaledRange(column);
  const narrow = digits === 0 ? integerType(range) : `Decimal(${decimalDigits(range)}, ${digits})`;
  const whole = nullable ? name : `ifNull(${name}, 0)`;
  const present = nullable ? `${name} IS NOT NULL` : `${name} != 0`;
  return formsOf(
    plain,
    absent ? present : '1',
    numberForms(
      nullable ? `Nullable(${narrow})` : narrow,
      digits === 0 ? whole : `toDecimal64(${whole}, ${digits}) / ${10 ** digits}`,
    ),
  );
}

function numberForms(type: string, value: string, codecs = NUMBER_CODECS): ColumnForm[] {
  return codecs.map((each) => ({ type, codecs: each, value, definitionBytes: 0 }));
}

/** The usual form comes first. */
function formsOf(name: string, present: string, candidates: readonly ColumnForm[]): ColumnForms {
  return { name, present, usual: candidates[0]!, candidates };
}

function literal(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
