import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { aDrift, aFailure, aHost, aNamed, anEvidence } from '../../test/reporter/evidence-builder.ts'
import { parseEvidence } from './evidence.ts'

const RECORDED = new URL('../../test/golden/evidence/', import.meta.url)

const HOST = ['hosts', 'rsyslog-lab']
const MAY_BE_NULL = ['sha1', 'port', 'user', 'keyFile', 'python', 'become']

const WHOLE = anEvidence({
  selection: ['--tags rsyslog'],
  hosts: {
    'rsyslog-lab': aHost({
      failures: [aFailure()],
      unchecked: [{ task: 'Ask rsyslogd', reason: 'skipped_in_check_mode' }],
      drift: [aDrift()],
      named: [aNamed({ sha1: 'c'.repeat(40) }), aNamed({ path_base64: null, why: 'no_log', compares: [] })],
      listed: [{ path_base64: 'L2V0Yy9yc3lzbG9nLmQ=', recurse: false }],
      looked_for: ['L2V0Yy9ub2xvZ2lu'],
      access: {
        host: '192.0.2.7',
        port: 2222,
        user: 'deploy',
        keyFile: '/home/deploy/.ssh/id_ed25519',
        sshArgs: ['-J', 'jump.example'],
        python: '/usr/bin/python3',
        become: 'root',
      },
    }),
  },
})

describe('parseEvidence', () => {
  it('reads what the callback plugin wrote', () => assert.deepEqual(parseEvidence(JSON.stringify(WHOLE)), WHOLE))

  for (const file of readdirSync(RECORDED).filter((name) => name.endsWith('.json'))) {
    it(`reads the record ${file}`, () => {
      const text = readFileSync(new URL(file, RECORDED), 'utf8')
      // A run that wrote no result is recorded as null.
      assert.deepEqual(parseEvidence(text), JSON.parse(text))
    })
  }

  it('refuses what is not JSON, and what ends too early', () => {
    const text = JSON.stringify(WHOLE)
    assert.equal(parseEvidence(''), null)
    for (let length = 0; length < text.length; length += 7) assert.equal(parseEvidence(text.slice(0, length)), null)
  })

  it('refuses a record with any one field replaced by something else', () => {
    fc.assert(
      fc.property(fc.constantFrom(...fieldsOf(WHOLE)), somethingElse, (field, other) => {
        fc.pre(kindOf(other) !== kindOf(valueAt(WHOLE, field)))
        fc.pre(!(field.at(-1) === 'modified_at' && other === null))
        fc.pre(!(field.at(-1) === 'path_base64' && field.includes('drift') && other === null))
        fc.pre(!(['sha1', 'why'].includes(String(field.at(-1))) && typeof other === 'string'))
        fc.pre(!(MAY_BE_NULL.includes(String(field.at(-1))) && other === null))
        assert.equal(parseEvidence(JSON.stringify(replaced(WHOLE, field, other))), null, field.join('.'))
      }),
    )
  })

  it('refuses a record with any one field left out', () => {
    for (const field of fieldsOf(WHOLE)) {
      if (
        [
          'hosts',
          'selection',
          'failures',
          'unchecked',
          'drift',
          'listed',
          'looked_for',
          'sshArgs',
          'compares',
        ].includes(String(field.at(-2)))
      )
        continue
      if (['expected', 'actual'].includes(String(field.at(-2)))) continue
      assert.equal(parseEvidence(JSON.stringify(replaced(WHOLE, field, undefined))), null, field.join('.'))
    }
  })

  const WRONG_VALUES: readonly (readonly [what: string, field: readonly string[], value: unknown])[] = [
    ['another format', ['format'], 2],
    ['a kind of failure that we do not know', [...HOST, 'failures', '0', 'kind'], 'skipped'],
    ['a reason that we do not know', [...HOST, 'unchecked', '0', 'reason'], 'because'],
    ['a change that we do not know', [...HOST, 'drift', '0', 'change'], 'none'],
    ['fewer than no comparisons', [...HOST, 'verified'], -1],
    ['more comparisons than anybody makes', [...HOST, 'verified'], Number.MAX_SAFE_INTEGER],
    ['half a comparison', [...HOST, 'verified'], 0.5],
    ['a path that is not Base64', [...HOST, 'drift', '0', 'path_base64'], '/etc/rsyslog.conf!'],
    ['a path without a byte', [...HOST, 'drift', '0', 'path_base64'], ''],
    ['fewer names than comparisons', [...HOST, 'verified'], 3],
    ['a name without a path that does not say why', [...HOST, 'named', '1', 'why'], null],
    ['a name with a path and a reason for having none', [...HOST, 'named', '0', 'why'], 'no_path'],
    ['a reason for no path that we do not know', [...HOST, 'named', '1', 'why'], 'because'],
    ['a comparison that we do not know', [...HOST, 'named', '0', 'compares', '0'], 'colour'],
    ['a hash of another length', [...HOST, 'named', '0', 'sha1'], 'c'.repeat(64)],
    ['a port that there is not', [...HOST, 'access', 'port'], 65_536],
    ['neither a way to the host nor why there is none', [...HOST, 'access'], {}],
  ]
  for (const [what, field, value] of WRONG_VALUES) {
    it(`refuses ${what}`, () => assert.equal(parseEvidence(JSON.stringify(replaced(WHOLE, field, value))), null))
  }
})

const somethingElse = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.string(),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.array(fc.jsonValue(), { minLength: 1 }),
  fc.dictionary(fc.string({ minLength: 1 }), fc.jsonValue(), { minKeys: 1 }),
)

type Field = readonly string[]

/** Every place in a value, from the outside in. */
function fieldsOf(value: unknown, at: Field = []): Field[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => [[...at, key], ...fieldsOf(inner, [...at, key])])
}

function valueAt(value: unknown, field: Field): unknown {
  return field.reduce((inner, key) => (inner as Record<string, unknown>)[key], value)
}

function replaced(value: unknown, [key, ...rest]: Field, other: unknown): unknown {
  if (key === undefined) return other
  const inner = (value as Record<string, unknown>)[key]
  return Array.isArray(value)
    ? value.with(Number(key), replaced(inner, rest, other))
    : { ...(value as object), [key]: replaced(inner, rest, other) }
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}
