import Type, { type Static } from 'typebox'
import { Compile } from 'typebox/compile'
import System from 'typebox/system'
import type { FieldProblem } from '../domain/fault.ts'
import { DEFAULT_PERIOD_MS, staleAfterMs } from '../domain/freshness.ts'
import { SYNC_STATUSES } from '../domain/report.ts'
import { contradictionsIn } from './contradictions.ts'
import { describeError, inForm, problemAt } from './field-problem.ts'
import { withSoundNames } from './file-names.ts'
import { MAX_DIFF_LENGTH, MAX_FILE_NAME_LENGTH, MAX_FILES } from './limits.ts'
import {
  fileFacts,
  fileName,
  link,
  longText,
  name,
  shortText,
  tasks,
  text,
  time,
  wholeNumber,
} from './report-fields.ts'
import { createIsPlain, unknownFieldsOf } from './unknown-fields.ts'
import { withoutSecrets } from './without-secrets.ts'

/** Which side of a difference has changed since the last deploy that is known. */
export const CAUSES = ['SERVER_CHANGED', 'PENDING_DEPLOY', 'BOTH', 'SAME_EDIT'] as const
export type Cause = (typeof CAUSES)[number]

function cause(description: string) {
  return Type.Enum([...CAUSES], { description })
}

export const DRIFTED_FILE = Type.Object({
  name: fileName(
    'The path below /etc/, or the whole path; of a resource the name of its task. Control characters and bytes that are not UTF-8 as \\xNN, a backslash doubled. Control characters that come as they are are escaped like that, with a warning; a file that is named twice is counted once, with a warning, too.',
  ),
  name_base64: Type.Optional(
    Type.String({
      pattern: '^[A-Za-z0-9+/]+={0,2}$',
      maxLength: 2 * MAX_FILE_NAME_LENGTH,
      description: `The raw bytes of the name. Left out unless \`name\` has escapes. ${inForm('base64 of the raw bytes of the name')}`,
    }),
  ),
  path: Type.Optional(fileName('The whole path. Left out when it is not known, and of a resource.')),
  kind: Type.Optional(
    Type.Enum(['file', 'resource'], {
      description: 'A resource is drift without a path, such as a package or a service. Left out: a file.',
    }),
  ),
  change: Type.Optional(
    Type.Enum(['modified', 'missing', 'extra', 'metadata'], {
      description:
        'How it differs from Git: its content, that it is missing, that Git has no such file, or its mode and owner alone. Left out when that is not known.',
    }),
  ),
  expected: Type.Optional(fileFacts('As Git declares it. Left out when that is not known.')),
  actual: Type.Optional(fileFacts('As the server has it. Left out when that is not known.')),
  modified_at: Type.Optional(time('When it was changed on the server. Left out when that is not known.')),
  modified_by: Type.Optional(shortText('Who changed it. A secret in it is redacted. Left out when that is not known.')),
  diff: Type.Optional(
    text(
      { maxLength: MAX_DIFF_LENGTH },
      'The difference itself, as unified diff: - what Git has, + what the server has. Secrets in it are redacted. Left out unless the repository asks for it (docs/diffs.md).',
    ),
  ),
  cause: Type.Optional(
    cause(
      'What has changed of this file since the last deploy: the server (SERVER_CHANGED), Git, which was not rolled out (PENDING_DEPLOY), BOTH, or both in the same way (SAME_EDIT). Left out when that is not known.',
    ),
  ),
})

export const REPORT = Type.Object({
  repo: name('The repository that the server is compared with; with `server` it names the target.'),
  server: name('The server; with `repo` it names the target.'),
  sync_status: Type.Enum([...SYNC_STATUSES], {
    description:
      'What the check found: the server is as in Git, it is not, or that was not found out. UNKNOWN comes with `error` and without files.',
  }),
  drift_count: wholeNumber(
    `The number of \`files\`. Above ${MAX_FILES.toLocaleString('en')}: the true number, the first ${MAX_FILES.toLocaleString('en')} files, and \`files_truncated\`.`,
    1_000_000_000,
  ),
  files: Type.Array(DRIFTED_FILE, {
    maxItems: MAX_FILES,
    description: 'What differs from Git. Empty for SYNCED and UNKNOWN, and never for OUT_OF_SYNC.',
  }),
  last_check: time("When the comparison began. More than five minutes ahead of the server's clock is refused."),
  files_truncated: Type.Optional(
    Type.Boolean({
      description: `\`files\` is not all of the drift; true only with ${MAX_FILES.toLocaleString('en')} files. Left out: false.`,
    }),
  ),
  revision: Type.Optional(
    Type.Object(
      {
        commit: shortText('Its full name, or any other that the repository knows.'),
        branch: Type.Optional(shortText('The branch that was checked out. Left out when there was none.')),
        url: Type.Optional(
          link(
            'Where people see the commit. Whoever is named before its host, and parameters that look like a secret, are taken out. Left out when there is no such page.',
          ),
        ),
      },
      { description: 'What of Git the server was compared with. Left out when that is not known.' },
    ),
  ),
  pipeline: Type.Optional(
    Type.Object(
      {
        url: Type.Optional(
          link(
            'Where people see the run. Whoever is named before its host, and parameters that look like a secret, are taken out. Left out when there is no such page.',
          ),
        ),
        number: Type.Optional(wholeNumber('Its number in the CI. Left out when it has none.')),
        event: Type.Optional(shortText('What began it, such as push or cron. Left out when that is not known.')),
      },
      { description: 'The run of the CI that checked. Left out when it was none.' },
    ),
  ),
  interval_seconds: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 31 * 86_400,
      description: `Seconds from one report to the next. Late is what comes after it, and STALE a target of which nothing came for 2.5 times as long. Left out: ${DEFAULT_PERIOD_MS / 1_000}, and so STALE after ${staleAfterMs(DEFAULT_PERIOD_MS) / 1_000}.`,
    }),
  ),
  duration_ms: Type.Optional(wholeNumber('Milliseconds that the check took. Left out when that was not measured.')),
  run_id: Type.Optional(shortText('Which run of the reporter it was. Left out when runs have no names.')),
  error: Type.Optional(
    Type.Object(
      {
        code: Type.String({
          pattern: '^[a-z][a-z0-9_]{0,63}$',
          description: `Why the check failed, for machines. ${inForm('lower-case words joined by _')}`,
        }),
        message: longText('The same in words. A secret in it is redacted.'),
      },
      { description: 'Why the check could not be trusted: with UNKNOWN always, and never without.' },
    ),
  ),
  coverage: Type.Optional(
    Type.Object(
      {
        checked: wholeNumber('How much of `total` was compared. Who compared nothing of something is UNKNOWN.'),
        total: wholeNumber(
          'How many files and resources Git declares, what is `unchecked` among them. SYNCED with less `checked` than this says so wherever it is shown.',
        ),
        unchecked: tasks(
          'What was not compared. The list may be cut; SYNCED may not name more than `total` less `checked`.',
        ),
        watched: Type.Optional(
          wholeNumber('How much of what is `checked` the fast check compares, too. Left out where there is none.'),
        ),
        unwatched: Type.Optional(
          tasks(
            'What of it only the full check compares; goes with `watched`. The list may be cut. Left out when there is nothing.',
          ),
        ),
        full_check_at: Type.Optional(
          time(
            'When the full check began that this one stands on. More than five minutes after this one was over (`last_check` and `duration_ms`) is refused. Left out when it stands on none but itself.',
          ),
        ),
      },
      { description: 'How much of what Git declares was compared. Left out when that is not known.' },
    ),
  ),
  cause: Type.Optional(
    cause(
      'What has changed since the last deploy, of all files together: the server (SERVER_CHANGED), Git, which was not rolled out (PENDING_DEPLOY), BOTH, or both in the same way (SAME_EDIT), which alone goes with SYNCED. Left out when that is not known, and always with UNKNOWN.',
    ),
  ),
  check: Type.Optional(
    Type.Object(
      {
        method: Type.Enum(['full', 'fast'], {
          description: 'By Ansible (full), or by a look at the files against what a full check had certified (fast).',
        }),
        disagreement: Type.Optional(
          longText('In what the two did not say the same. A secret in it is redacted. Left out when they agree.'),
        ),
      },
      { description: 'How it was checked. Left out: in a way that is not told.' },
    ),
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
