import Type, { type Static } from 'typebox'
import { Compile } from 'typebox/compile'
import System from 'typebox/system'
import type { FieldProblem } from '../domain/fault.ts'
import { SYNC_STATUSES } from '../domain/report.ts'
import { contradictionsIn } from './contradictions.ts'
import { describeError, problemAt } from './field-problem.ts'
import { withSoundNames } from './file-names.ts'
import {
  MAX_DIFF_LENGTH,
  MAX_FILE_NAME_LENGTH,
  MAX_FILES,
  MAX_LINK_LENGTH,
  MAX_SHORT_TEXT_LENGTH,
  MAX_TEXT_LENGTH,
} from './limits.ts'
import { isTime } from './time.ts'
import { createIsPlain, unknownFieldsOf } from './unknown-fields.ts'
import { withoutSecrets } from './without-secrets.ts'

// Names end up in URLs, metric labels, badges and log lines. The rule leaves room for host names, addresses and
// "owner/name", and keeps out whatever would need escaping anywhere. No space: see targetKey.
export const NAME = Type.String({
  pattern: '^[A-Za-z0-9_][A-Za-z0-9._/:@-]{0,252}$',
  description: '1 to 253 letters, digits and any of . _ - / : @, beginning with a letter, a digit or _',
})
const TIME = Type.Refine(
  Type.String({ maxLength: 40 }),
  isTime,
  () => 'must be a time that exists, with a zone, such as 2026-04-21T10:30:00Z',
)
const LINK = Type.String({
  pattern: '^https?://[^\\s"<>]+$',
  maxLength: MAX_LINK_LENGTH,
  description: 'a URL that begins with https:// or http://',
})
const SHORT_TEXT = text({ maxLength: MAX_SHORT_TEXT_LENGTH })
const LONG_TEXT = text({ maxLength: MAX_TEXT_LENGTH })

/** Which side of a difference has changed since the last deploy that is known. */
export const CAUSES = ['SERVER_CHANGED', 'PENDING_DEPLOY', 'BOTH', 'SAME_EDIT'] as const
export type Cause = (typeof CAUSES)[number]

// Tasks that did their part, or did not, each with the reason.
const TASKS = Type.Array(Type.Object({ name: LONG_TEXT, reason: SHORT_TEXT }), { maxItems: MAX_FILES })

const FILE_FACTS = Type.Object({
  sha256: Type.Optional(Type.String({ pattern: '^[0-9a-f]{64}$', description: '64 hexadecimal digits in lower case' })),
  mode: Type.Optional(Type.String({ pattern: '^[0-7]{4}$', description: 'four octal digits, such as 0644' })),
  owner: Type.Optional(SHORT_TEXT),
  group: Type.Optional(SHORT_TEXT),
  type: Type.Optional(SHORT_TEXT),
})

export const DRIFTED_FILE = Type.Object({
  name: text({ minLength: 1, maxLength: MAX_FILE_NAME_LENGTH }),
  name_base64: Type.Optional(
    Type.String({
      pattern: '^[A-Za-z0-9+/]+={0,2}$',
      maxLength: 2 * MAX_FILE_NAME_LENGTH,
      description: 'base64 of the raw bytes of the name',
    }),
  ),
  path: Type.Optional(text({ minLength: 1, maxLength: MAX_FILE_NAME_LENGTH })),
  kind: Type.Optional(Type.Enum(['file', 'resource'])),
  change: Type.Optional(Type.Enum(['modified', 'missing', 'extra', 'metadata'])),
  expected: Type.Optional(FILE_FACTS),
  actual: Type.Optional(FILE_FACTS),
  modified_at: Type.Optional(TIME),
  modified_by: Type.Optional(SHORT_TEXT),
  diff: Type.Optional(text({ maxLength: MAX_DIFF_LENGTH })),
  cause: Type.Optional(Type.Enum([...CAUSES])),
})

export const REPORT = Type.Object({
  repo: NAME,
  server: NAME,
  sync_status: Type.Enum([...SYNC_STATUSES]),
  drift_count: Type.Integer({ minimum: 0, maximum: 1_000_000_000 }),
  files: Type.Array(DRIFTED_FILE, { maxItems: MAX_FILES }),
  last_check: TIME,
  files_truncated: Type.Optional(Type.Boolean()),
  revision: Type.Optional(
    Type.Object({
      commit: SHORT_TEXT,
      branch: Type.Optional(SHORT_TEXT),
      url: Type.Optional(LINK),
    }),
  ),
  pipeline: Type.Optional(
    Type.Object({
      url: Type.Optional(LINK),
      number: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
      event: Type.Optional(SHORT_TEXT),
    }),
  ),
  interval_seconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 31 * 86_400 })),
  duration_ms: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
  run_id: Type.Optional(SHORT_TEXT),
  error: Type.Optional(
    Type.Object({
      code: Type.String({ pattern: '^[a-z][a-z0-9_]{0,63}$', description: 'lower-case words joined by _' }),
      message: LONG_TEXT,
    }),
  ),
  coverage: Type.Optional(
    Type.Object({
      checked: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
      total: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
      unchecked: TASKS,
      watched: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
      unwatched: Type.Optional(TASKS),
      full_check_at: Type.Optional(TIME),
    }),
  ),
  cause: Type.Optional(Type.Enum([...CAUSES])),
  check: Type.Optional(
    Type.Object({
      method: Type.Enum(['full', 'fast']),
      disagreement: Type.Optional(LONG_TEXT),
    }),
  ),
})

/** A report as it travels: the body of `POST /api/status`. */
export type ReportBody = Static<typeof REPORT>
export type DriftedFile = ReportBody['files'][number]

export type ParsedReport =
  | { readonly body: ReportBody; readonly warnings: readonly string[] }
  | { readonly problems: readonly FieldProblem[] }

// All bad fields at once, but a hostile body does not get to order a novel.
export const MAX_PROBLEMS = 100
System.Settings.Set({ maxErrors: MAX_PROBLEMS })
const validator = Compile(REPORT)
const isPlain = createIsPlain(REPORT)

/**
 * Reads one report from decoded JSON. Never throws: what is wrong comes back as one problem for each bad field.
 * A field that we do not know is left out and named in a warning, so that a newer reporter can talk to an older server.
 *
 * @param at Where the report stands in the request, as a JSON pointer: '' alone, '/2' as the third of a batch.
 */
export function parseReport(value: unknown, at = ''): ParsedReport {
  const fits = validator.Check(value)
  const contradictions = contradictionsIn(value)
  if (!fits || contradictions.length > 0) {
    const problems = [
      ...(fits ? [] : validator.Errors(value).flatMap((error) => describeError(error, REPORT, value, at))),
      ...contradictions.map(({ pointer, detail }) => problemAt(at + pointer, detail)),
    ]
    return { problems: problems.slice(0, MAX_PROBLEMS) }
  }
  if (isPlain(value)) return asKept(value)

  const { known, unknown } = unknownFieldsOf(REPORT, value)
  const { body, warnings } = asKept(known as ReportBody) // less the fields that the check above did not ask for
  return {
    body,
    warnings: [...unknown.map((field) => `"${field}" is not a field of a report and was left out`), ...warnings],
  }
}

/** What becomes of every report that is valid, before anybody else sees it. */
function asKept(value: ReportBody): { readonly body: ReportBody; readonly warnings: readonly string[] } {
  const redacted = withoutSecrets(value)
  const { body, warnings } = withSoundNames(redacted.body)
  return { body, warnings: [...redacted.warnings, ...warnings] }
}

// NUL and lone surrogates cannot be stored or sent on by everything that a report passes (PostgreSQL, UTF-8). Whoever
// has such bytes in a name escapes them in `name` and sends the raw ones in `name_base64`.
function text(limits: { minLength?: number; maxLength: number }) {
  return Type.Refine(
    Type.String(limits),
    (value) => value.isWellFormed() && !value.includes('\u0000'),
    () => 'must not contain U+0000 or half of a surrogate pair',
  )
}
